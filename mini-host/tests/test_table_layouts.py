"""CSV files that came from elsewhere: what is recognised, what is mended, what is refused."""

import logging

import pytest

from minihost.datasets import frames, layouts, table
from minihost.errors import DataError

UMLAUTS = "path;label;größe\na.jpg;Käfer;1,5\nb.jpg;Mädchen – früh;2,0\n"


@pytest.fixture(autouse=True)
def _said_nothing_yet():
    layouts._logged.clear()


@pytest.fixture
def read(tmp_path, caplog):
    """Return a reader of a file with this content: its columns, its rows and what the log says."""

    def read(content, name="labels.csv", **options):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        caplog.clear()
        found = table(path, options)
        with caplog.at_level(logging.WARNING):
            rows = list(found.text_rows())
        return [column["name"] for column in found.columns()], rows, [record.message for record in caplog.records]

    return read


def in_frame(path, **options):
    found = table(path, options)
    frame = frames.read(found.pandas_source(), found.columns(), {"dtype": "object", "keep_default_na": False})
    return frame.to_numpy().tolist()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (UMLAUTS, "read as semicolon-separated"),
        ("\ufeff" + UMLAUTS, "read as semicolon-separated"),
        (UMLAUTS.encode("cp1252"), "read as semicolon-separated, Windows-1252"),
        (UMLAUTS.replace(";", "\t"), "read as tab-separated"),
        (UMLAUTS.replace(";", "|"), "read as vertical bar-separated"),
        (UMLAUTS.replace(";", "\t").encode("utf-16"), "read as tab-separated, UTF-16"),
        (UMLAUTS.replace(";", "\t").encode("utf-16-le"), "read as tab-separated, UTF-16"),
        (UMLAUTS.replace(";", "\t").encode("utf-16-be"), "read as tab-separated, UTF-16"),
        (UMLAUTS.replace(";", "\t").encode("utf-32"), "read as tab-separated, UTF-32"),
        (UMLAUTS.replace("\n", "\r\n"), "read as semicolon-separated"),
        (UMLAUTS.replace("\n", "\r"), "read as semicolon-separated"),
        ("sep=;\r\n" + UMLAUTS, "read as semicolon-separated"),
    ],
)
def test_what_spreadsheets_save_is_recognised_and_said_in_one_line(read, tmp_path, content, said):
    names, rows, log = read(content)
    assert names == ["path", "label", "größe"]
    assert rows == [["a.jpg", "Käfer", "1,5"], ["b.jpg", "Mädchen – früh", "2,0"]]
    assert log == [f"labels.csv: {said}"]
    assert in_frame(tmp_path / "labels.csv") == rows


def test_a_usual_file_is_read_without_a_word(read):
    assert read('path,label\na.jpg,"x; y"\n') == (["path", "label"], [["a.jpg", "x; y"]], [])


def test_settings_win(read):
    assert read("a;b\n1;2\n", separator=",")[1] == [["1;2"]]
    assert read("a,b\n1,2\n", separator=";")[1] == [["1,2"]]
    assert read("ä\n1\n", encoding="cp1252")[0] == ["Ã¤"]
    with pytest.raises(DataError, match="encoding 'utf-9' is not known"):
        read("a\n", encoding="utf-9")


def test_tsv_is_separated_by_tabs(read):
    assert read("a;x\tb\n1;2\t3\n", "labels.tsv")[:2] == (["a;x", "b"], [["1;2", "3"]])


class TestSeparators:
    @pytest.mark.parametrize(
        "content",
        [
            "text\nfirst; second\nnone\na; b; c\n",
            "notes; remarks\nplain\na; b; c\nother\n",
            "text\na|b\nc|d\n",
            'text\n"a, b"\n"c; d"\n',
        ],
    )
    def test_free_text_stays_one_column(self, read, content):
        names, rows, log = read(content)
        assert len(names) == 1
        assert len(rows) == content.count("\n") - 1
        assert log == []

    @pytest.mark.parametrize(
        ("content", "names"),
        [
            ('path;label\n"a;1.jpg";cat\n"b\n;.jpg";dog\n', ["path", "label"]),
            ("path;width, cm;label\na.jpg;1,5;cat\nb.jpg;2;dog\n", ["path", "width, cm", "label"]),
            ("path,a;b\nx.jpg,1\ny.jpg,2;3\n", ["path", "a;b"]),
            ('path,label\na.jpg,"cat; dog"\nb.jpg,"a;b;c"\n', ["path", "label"]),
            ("path;label\n", ["path", "label"]),
            ("path;label\na.jpg;cat\nb.jpg\nc.jpg;dog\n", ["path", "label"]),
            ("path|label\na,1.jpg|cat\nb,2.jpg|dog\n", ["path", "label"]),
            ("path\tlabel\ta;b\nx\ty\tz\n", ["path", "label", "a;b"]),
        ],
    )
    def test_the_one_that_agrees_is_chosen(self, read, content, names):
        assert read(content)[0] == names

    @pytest.mark.parametrize("content", ["path,a;b\nx.jpg,1;2\ny.jpg,3;4\n", "path;width, cm;x\na;1,5;b\n"])
    def test_two_that_agree_are_refused_with_the_setting(self, read, content):
        with pytest.raises(DataError, match=r"comma or semicolon.*flow\.yaml: datasets: .*separator: \",\""):
            read(content)
        assert len(read(content, separator=";")[0]) == content.split("\n")[0].count(";") + 1

    def test_a_header_unlike_its_rows_is_refused(self, read):
        with pytest.raises(DataError, match="header is separated by a comma and the rows by a semicolon"):
            read("path,label\na.jpg;cat\nb.jpg;dog\n")

    def test_what_the_host_wrote_is_never_guessed_about(self, tmp_path, read):
        for name, cell in (("a;b", "1;2"), (" a ", " x"), ("a", "\0")):
            columns = [{"name": name, "type": "string"}]
            with table(tmp_path / "labels.csv").writer(columns) as writer:
                writer.write([[cell], [""], [None]])
            found = table(tmp_path / "labels.csv")
            assert list(found.text_rows()) == [[cell], [""], [""]]
            assert [column["name"] for column in found.columns()] == [name]


class TestEncodings:
    @pytest.mark.parametrize("codec", ["cp1251", "mac_roman", "cp850", "shift_jis", "gb18030"])
    def test_others_are_refused_with_the_setting(self, read, codec):
        text = {"cp1251": "кот", "shift_jis": "猫です", "gb18030": "小猫的图"}.get(codec, "Käfig grün")
        with pytest.raises(DataError, match=r"certainly Windows-1252.*encoding: cp1251"):
            read(f"path,label\na.jpg,{text}\n".encode(codec))
        assert read(f"path,label\na.jpg,{text}\n".encode(codec), encoding=codec)[1] == [["a.jpg", text]]

    def test_a_damaged_utf8_file_is_not_taken_for_another(self, read):
        lines = [f"{number}.jpg,Käfer" for number in range(10)]
        content = "\n".join(["path,label", *lines]).encode().replace(b"7.jpg,K\xc3\xa4", b"7.jpg,K\xe4")
        with pytest.raises(DataError, match="line 9: a byte is not UTF-8"):
            read(content)

    def test_a_byte_far_behind_the_head_counts(self, read, tmp_path):
        content = "path,label\n" + "a.jpg,cat\n" * 200_000 + "b.jpg,Käfer\n"
        _names, rows, log = read(content.encode("cp1252"))
        assert (rows[-1], log) == (["b.jpg", "Käfer"], ["labels.csv: read as Windows-1252"])
        assert in_frame(tmp_path / "labels.csv")[-1] == ["b.jpg", "Käfer"]

    @pytest.mark.parametrize("size", [65_535, 65_536, 65_537, 1 << 20])
    def test_letters_across_the_ends_of_pieces(self, read, size):
        cell = "x" * (size - len("path\n") - 1) + "é" * 10
        assert read(f"path\n{cell}\n")[1] == [[cell]]


class TestRows:
    @pytest.mark.parametrize(
        "content",
        [
            "path,label\na.jpg,cat,,\nb.jpg,dog,\n",
            "path,label,,\na.jpg,cat,,\nb.jpg,dog,,\n",
            "path,label\na.jpg,cat\nb.jpg,dog\n,\n,\n",
            "path;label\na.jpg;cat\nb.jpg;dog\n;\n;;;\n",
            "path,label\na.jpg,cat\nb.jpg,dog\n\n  \n\n",
            ",\n,\npath,label\na.jpg,cat\nb.jpg,dog\n",
        ],
    )
    def test_empty_cells_and_rows_at_the_end_do_not_count(self, read, tmp_path, content):
        names, rows, _log = read(content)
        assert (names, rows) == (["path", "label"], [["a.jpg", "cat"], ["b.jpg", "dog"]])
        assert in_frame(tmp_path / "labels.csv") == rows

    def test_a_name_at_the_end_may_be_empty_where_cells_stand_below(self, read):
        assert read("path,label,\na,b,c\n")[:2] == (["path", "label", ""], [["a", "b", "c"]])

    def test_missing_cells_are_empty_and_counted(self, read):
        _names, rows, log = read("path,label,x\na.jpg,cat,1\nb.jpg\nc.jpg,dog\n")
        assert rows[1:] == [["b.jpg", "", ""], ["c.jpg", "dog", ""]]
        assert log == ["labels.csv: 2 rows have fewer cells than the 3 columns; the missing cells are empty"]

    def test_a_row_with_too_many_is_named_by_its_line(self, tmp_path, read):
        content = 'path,label\n"a\n.jpg",cat\n\nb.jpg,dog,big\n'
        with pytest.raises(DataError, match=r"line 5: this row has 3 cells, the header has 2: 'b.jpg', 'dog', 'big'"):
            read(content)
        with pytest.raises(DataError, match="line 5: this row has 3 cells"):
            in_frame(tmp_path / "labels.csv")

    def test_chunks_go_on_where_a_longer_row_was_mended(self, tmp_path):
        path = tmp_path / "labels.csv"
        path.write_text("n,label\n" + "1,a\n" * 25 + "2,b,,\n" + "3,c\n" * 4)
        found = table(path)
        chunks = list(frames.read(found.pandas_source(), found.columns(), {"chunksize": 10}))
        assert [len(chunk) for chunk in chunks] == [10, 10, 10]
        assert [chunk.index[0] for chunk in chunks] == [0, 10, 20]
        assert chunks[2]["n"].tolist() == [1] * 5 + [2] + [3] * 4
        assert len(frames.read(found.pandas_source(), found.columns(), {"nrows": 27})) == 27

    def test_an_open_quote_is_named(self, tmp_path, read):
        with pytest.raises(DataError, match="line 3: a quote opens a cell and none closes it"):
            read('path,label\na.jpg,cat\nb.jpg,"dog\nc.jpg,cat\n')
        with pytest.raises(DataError, match="a quote opens a cell"):
            in_frame(tmp_path / "labels.csv")

    def test_decimal_commas_of_number_columns(self, tmp_path):
        path = tmp_path / "labels.csv"
        path.write_text("path;score;text\na.jpg;0,5;0,5\nb.jpg;-1,25e3;x\nc.jpg;2.5;\n")
        found = table(path)
        found.set_columns([{"name": name, "type": kind} for name, kind in zip(found_names(found), TYPES, strict=True)])
        assert [row[1:] for row in table(path).text_rows()] == [["0.5", "0,5"], ["-1.25e3", "x"], ["2.5", ""]]
        assert frames.read(table(path).pandas_source(), table(path).columns(), {})["score"].sum() == -1247


TYPES = ("string", "double", "string")


def found_names(found):
    return [column["name"] for column in found.columns()]


class TestNames:
    def test_blanks_around_them_are_left_out_and_said(self, read):
        names, rows, log = read("path, label\na.jpg, cat\n")
        assert (names, rows) == (["path", "label"], [["a.jpg", " cat"]])
        assert log == ["labels.csv: blanks around column names are left out: ' label'"]

    def test_unless_they_tell_two_columns_apart(self, read):
        assert read("a, a\n1,2\n")[::2] == (["a", " a"], [])

    def test_a_repeated_name_gets_a_number(self, read):
        assert read("a,a\n1,2\n")[::2] == (["a", "a_1"], ["labels.csv: another column 'a' is called 'a_1'"])


class TestNoTable:
    @pytest.mark.parametrize(
        ("content", "message"),
        [
            (b"", "is empty: a table has a line"),
            (b"\n\n", "is empty: a table has a line"),
            (b"\xff\xd8\xff\xe0\0\x10JFIF", "by its content it is a JPEG picture"),
            (b"PK\x03\x04rest", "an Excel file or a zip. Give an Excel file its ending .xlsx"),
            (b"\xd0\xcf\x11\xe0rest", "an old or a protected Excel file"),
            (b"PAR1rest", "a Parquet file"),
            (b"a,b\n1,\0\0\0\n", "it is binary, with zero bytes"),
            (bytes(range(256)) * 10, "it is binary, with zero bytes"),
        ],
    )
    def test_it_is_refused(self, read, content, message):
        with pytest.raises(DataError, match=message):
            read(content)

    def test_a_header_alone_is_a_table_without_rows(self, read, tmp_path):
        assert read("path,label\n") == (["path", "label"], [], [])
        assert in_frame(tmp_path / "labels.csv") == []

    def test_a_picture_stays_one_with_any_encoding(self, read):
        with pytest.raises(DataError, match="JPEG"):
            read(b"\xff\xd8\xff\xe0", encoding="latin-1")
