"""CSV as every reader takes it: UTF-8, rows that end in a line feed, quotes wherever a reader wants them."""

from pipelines.exports._draft import HashedFile

ROW_END = "\r\n"    # what the csv module is told, so that it quotes a lone carriage return as well


class CsvFile:
    """What the csv module writes rows to, one at a time; give it ROW_END as its line terminator."""

    def __init__(self, file: HashedFile) -> None:
        self._file = file

    def write(self, row: str) -> int:
        """One row; it ends in a line feed in the file."""
        return self._file.write(f"{row.removesuffix(ROW_END)}\n".encode())
