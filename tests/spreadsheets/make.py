#!/usr/bin/env python3
"""Writes the spreadsheets of this folder, as programs export them. Only the standard library.

Each is imported by a test of the command line, which says what it imitates and what must come out of it.
"""

import zipfile
from pathlib import Path
from xml.sax.saxutils import escape

FOLDER = Path(__file__).parent
NBSP, ZERO_WIDTH, BOM = "\u00a0", "\u200b", "\ufeff"

TEXTS: dict[str, tuple[str, str]] = {
    # Name: (encoding, text)
    "google-admin-users.csv": ("utf-8", """\
First Name [Required],Last Name [Required],Email Address [Required],Status [READ ONLY],Department
Ada,Lovelace,ada@example.com,Active,Support Team
Jonas,Weiß,jonas@example.com,Suspended,ML Research
"""),
    "google-group-members.csv": ("utf-8", """\
Group Email [Required],Member Email,Member Type,Member Role
support-team@example.com,ada@example.com,USER,MEMBER
support-team@example.com,jonas@example.com,USER,MANAGER
"""),
    "entra-group-members.csv": ("utf-8-sig", """\
id,userPrincipalName,displayName,objectType,userType,isUser,isGroup,isGuest
1,ada@example.com,Ada Lovelace,User,Member,TRUE,FALSE,FALSE
2,jonas@example.com,Jonas Weiß,User,Member,TRUE,FALSE,FALSE
"""),
    "entra-users.csv": ("utf-8-sig", """\
userPrincipalName,displayName,surname,mail,givenName,id,userType,jobTitle,department,accountEnabled
ada@acme.onmicrosoft.com,Ada Lovelace,Lovelace,ada@example.com,Ada,1,Member,,Support Team,True
jonas@acme.onmicrosoft.com,Jonas Weiß,Weiß,jonas@example.com,Jonas,2,Member,,ML Research,False
"""),
    "okta-people.csv": ("utf-8", """\
login,firstName,lastName,email,status,groups
ada,Ada,Lovelace,ada@example.com,ACTIVE,Support Team;ML Research
jonas,Jonas,Weiß,jonas@example.com,ACTIVE,Support Team
"""),
    "okta-report.csv": ("utf-8", """\
user.login,user.email,app,group
a,ada@example.com,OpenAI,Support Team
j,jonas@example.com,OpenAI,ML Research
"""),
    "workday-workers.csv": ("utf-8", """\
Active Workers,,,
Effective Date: 2026-11-28,,,
,,,
Employee ID,Worker,Email - Primary Work,Supervisory Organization
10,Ada Lovelace,ada@example.com,Support Team
11,Jonas Weiß,jonas@example.com,ML Research
"""),
    "excel-german.csv": ("windows-1252", """\
Name;E-Mail-Adresse;Gruppe\r
Jonas Weiß;jonas@example.com;Support Team\r
Ada Lovelace;ada@example.com;ML Research\r
;;\r
"""),
    "excel-unicode.txt": ("utf-16", """\
Name\tE-Mail\tTeam\r
Jonas Weiß\tjonas@example.com\tSupport Team\r
Ada Lovelace\tada@example.com\tML Research\r
"""),
    "excel-separator-line.csv": ("utf-8-sig", """\
sep=;\r
Email;Group\r
ada@example.com;Support Team\r
jonas@example.com;ML Research\r
"""),
    "excel-macintosh.csv": ("ascii", "email,group\rada@example.com,Support Team\rjonas@example.com,ML Research\r"),
    "excel-title-and-total.csv": ("utf-8", """\
Team list 2026,,\r
,,\r
Email,Team Name,Seats\r
ada@example.com,Support Team,1\r
jonas@example.com,ML Research,1\r
,,\r
Total,,2\r
"""),
    "excel-merged-cells.csv": ("utf-8", """\
Team,Email
Support Team,ada@example.com
,jonas@example.com
ML Research,bjorn@example.com
,dana@example.com
"""),
    "libreoffice-quoted.csv": ("utf-8", """\
"Name","Email","Group","Notes"
"Lovelace, Ada","ada@example.com","Support Team","back on Monday,
then away"
"Weiß, Jonas","jonas@example.com","ML Research",""
"""),
    "numbers-blank-columns.csv": ("utf-8", """\
Table 1
,Email,,Team,
,ada@example.com,,Support Team,
,,,,
,jonas@example.com,,ML Research,
"""),
    "outlook-names.csv": ("utf-8", """\
Member,Group
"Lovelace, Ada <ada@example.com>;",Support Team
Jonas Weiß <jonas@example.com>,ML Research
"""),
    "web-page-links.csv": ("utf-8", f"""\
Email,Group
mailto:ada@example.com,Support Team
{ZERO_WIDTH}jonas@example.com{ZERO_WIDTH},{NBSP}ML{NBSP}Research{ZERO_WIDTH}
"""),
    "typographic-quotes.csv": ("utf-8", """\
Email,Group
“ada@example.com”,Support Team
'jonas@example.com,ML Research
"""),
    "lower-case-groups.csv": ("utf-8", """\
email,group
ADA@EXAMPLE.COM,support  team
jonas@example.com,SUPPORT TEAM
bjorn@example.com,ml research
"""),
    "several-groups-commas.csv": ("utf-8", """\
email,groups
ada@example.com,"Support Team, ML Research"
jonas@example.com,Support Team
"""),
    "several-groups-bars.csv": ("utf-8", """\
email,groups
ada@example.com,Support Team|ML Research|
jonas@example.com,Support Team
"""),
    "bad-rows.csv": ("utf-8", """\
email,group
ada@example.com,Support Team
to be hired,Support Team
jonas@example.com,ML Research
bjorn@example.com,#REF!
"""),
    "new-groups.csv": ("utf-8", """\
email,group
ada@example.com,Design
jonas@example.com,Support Team
"""),
    "status-column.csv": ("utf-8", """\
email,group,active
ada@example.com,Support Team,yes
jonas@example.com,Support Team,YES
dana@example.com,Support Team,no
"""),
    "unknown-headings.csv": ("utf-8", """\
Who,Contact,Where
Ada,ada@example.com,Support Team
Jonas,jonas@example.com,ML Research
"""),
    "bar-delimited.txt": ("utf-8", "email|group\nada@example.com|Support Team\njonas@example.com|ML Research\n"),
    "french.csv": ("utf-8-sig", "Nom;Adresse e-mail;Équipe\nAda;ada@example.com;Support Team\nJ;jonas@example.com;ML Research\n"),
    "spanish.csv": ("windows-1252", "Nombre;Correo electrónico;Grupo\nAda;ada@example.com;Support Team\nInés;jonas@example.com;ML Research\n"),
    "portuguese.csv": ("utf-8", "Nome,Endereço de e-mail,Equipe\nAda,ada@example.com,Support Team\nJ,jonas@example.com,ML Research\n"),
    "italian.csv": ("utf-8", "Nome;Indirizzo e-mail;Gruppo\nAda;ada@example.com;Support Team\nJ;jonas@example.com;ML Research\nTotale;2;\n"),
    "dutch.csv": ("utf-8", "Naam;E-mailadres;Afdeling\nAda;ada@example.com;Support Team\nJ;jonas@example.com;ML Research\n"),
    "polish.csv": ("utf-8", "Imię;Adres e-mail;Zespół\nAda;ada@example.com;Support Team\nJ;jonas@example.com;ML Research\n"),
    "swedish.csv": ("utf-8", "Namn;E-postadress;Grupp\nAda;ada@example.com;Support Team\nJ;jonas@example.com;ML Research\n"),
    "turkish.csv": ("utf-8", "Ad;E-posta;Takım\nAda;ada@example.com;Support Team\nJ;jonas@example.com;ML Research\n"),
    "japanese.csv": ("utf-8-sig", "氏名,メールアドレス,グループ\n山田 浩,ada@example.com,Support Team\n田中,jonas@example.com,ML Research\n"),
    "chinese.csv": ("utf-8-sig", "姓名,电子邮件,部门\n王,ada@example.com,Support Team\n李,jonas@example.com,ML Research\n"),
    "korean.csv": ("utf-8-sig", "이름,이메일,그룹\n김,ada@example.com,Support Team\n이,jonas@example.com,ML Research\n"),
    "russian.csv": ("utf-8-sig", "Имя;Электронная почта;Группа\nА;ada@example.com;Support Team\nБ;jonas@example.com;ML Research\n"),
}

# Name: sheets, in order, as (name, is hidden, rows); a number stands for a numeric cell.
Rows = list[list[str | int | None]]
WORKBOOKS: dict[str, list[tuple[str, bool, Rows]]] = {
    "excel-workbook.xlsx": [("Sheet1", False, [
        ["Name", "Email", "Group", "Seats"],
        ["Ada Lovelace", "ada@example.com", "Support Team", 1],
        [],
        ["Jonas Weiß", "jonas@example.com", "ML Research", 1],
        ["Total", None, None, 2],
    ])],
    "excel-merged-title.xlsx": [("Teams", False, [
        ["Teams of Acme"],
        [],
        [None, "Team", "E-Mail"],
        [None, "Support Team", "ada@example.com"],
        [None, None, "jonas@example.com"],
    ])],
    "excel-two-sheets.xlsx": [
        ("Notes", False, [["This workbook is kept by Ada."]]),
        ("Lists", True, [["a"], ["b"]]),
        ("People", False, [
            ["Email", "Group"],
            ["ada@example.com", "Support Team"],
            ["jonas@example.com", "ML Research"],
        ]),
    ],
    "google-sheets.xlsx": [("Form responses 1", False, [
        ["Timestamp", "Email Address", "Which team are you in?"],
        [45000, "ada@example.com", "Support Team"],
        [45001, "jonas@example.com", "ML Research"],
    ])],
}


def column_name(column: int) -> str:
    name = ""
    while column >= 0:
        name = chr(ord("A") + column % 26) + name
        column = column // 26 - 1
    return name


def sheet_xml(rows: Rows, strings: list[str]) -> str:
    lines = []
    for number, row in enumerate(rows, 1):
        cells = []
        for column, value in enumerate(row):
            place = f"{column_name(column)}{number}"
            if isinstance(value, int):
                cells.append(f'<c r="{place}"><v>{value}</v></c>')
            elif value is not None:
                if value not in strings:
                    strings.append(value)
                cells.append(f'<c r="{place}" t="s"><v>{strings.index(value)}</v></c>')
        lines.append(f'<row r="{number}">{"".join(cells)}</row>')
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    return f'<worksheet xmlns="{main}"><sheetData>{"".join(lines)}</sheetData></worksheet>'


def write_workbook(path: Path, sheets: list[tuple[str, bool, Rows]]) -> None:
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006/relationships"
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    strings: list[str] = []
    parts, names, relations = {}, [], []
    for number, (name, is_hidden, rows) in enumerate(sheets, 1):
        parts[f"xl/worksheets/sheet{number}.xml"] = sheet_xml(rows, strings)
        state = ' state="hidden"' if is_hidden else ""
        names.append(f'<sheet name="{escape(name)}" sheetId="{number}"{state} r:id="rId{number}"/>')
        target = f'Type="{office}/worksheet" Target="worksheets/sheet{number}.xml"'
        relations.append(f'<Relationship Id="rId{number}" {target}/>')
    texts = "".join(f"<si><t>{escape(text)}</t></si>" for text in strings)
    parts["xl/sharedStrings.xml"] = f'<sst xmlns="{main}" uniqueCount="{len(strings)}">{texts}</sst>'
    parts["xl/workbook.xml"] = f'<workbook xmlns="{main}" xmlns:r="{office}"><sheets>{"".join(names)}</sheets></workbook>'
    parts["xl/_rels/workbook.xml.rels"] = f'<Relationships xmlns="{package}">{"".join(relations)}</Relationships>'
    document = f'<Relationship Id="rId1" Type="{office}/officeDocument" Target="xl/workbook.xml"/>'
    parts["_rels/.rels"] = f'<Relationships xmlns="{package}">{document}</Relationships>'
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts.items():
            # A constant time, so that the same sheets make the same file.
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), text, zipfile.ZIP_DEFLATED)


def main() -> None:
    for name, (encoding, text) in TEXTS.items():
        (FOLDER / name).write_bytes(text.encode(encoding))
    for name, sheets in WORKBOOKS.items():
        write_workbook(FOLDER / name, sheets)


if __name__ == "__main__":
    main()
