"""What is committed below deploy/ is what its generators make."""

from deploy.generated import FOLDER, differing


def test_the_generated_files_are_those_of_the_code() -> None:
    stale = [str(path.relative_to(FOLDER)) for path in differing()]
    assert stale == [], "run: python -m deploy"
