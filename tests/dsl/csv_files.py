"""A Roster as the files of OneRoster CSV."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Mapping
from pathlib import Path

from roster_sync.sources.oneroster_csv.header import FILES
from tests.dsl.roster import Roster

CSV_1_1 = {
    "orgs": "sourcedId,status,dateLastModified,name,type,identifier,parentSourcedId",
    "academicSessions": "sourcedId,status,dateLastModified,title,type,startDate,endDate,parentSourcedId,schoolYear",
    "courses": "sourcedId,status,dateLastModified,schoolYearSourcedId,title,courseCode,grades,orgSourcedId,subjects,"
               "subjectCodes",
    "classes": "sourcedId,status,dateLastModified,title,grades,courseSourcedId,classCode,classType,location,"
               "schoolSourcedId,termSourcedIds,subjects,subjectCodes,periods",
    "users": "sourcedId,status,dateLastModified,enabledUser,orgSourcedIds,role,username,userIds,givenName,familyName,"
             "middleName,identifier,email,sms,phone,agentSourcedIds,grades,password",
    "enrollments": "sourcedId,status,dateLastModified,classSourcedId,schoolSourcedId,userSourcedId,role,primary,"
                   "beginDate,endDate",
}  # fmt: skip
CSV_1_2 = CSV_1_1 | {
    "users": "sourcedId,status,dateLastModified,enabledUser,username,userIds,givenName,familyName,middleName,"
             "identifier,email,sms,phone,agentSourcedIds,grades,password,userMasterIdentifier,preferredGivenName,"
             "preferredMiddleName,preferredFamilyName,primaryOrgSourcedId,pronouns",
    "roles": "sourcedId,status,dateLastModified,userSourcedId,roleType,role,beginDate,endDate,orgSourcedId,"
             "userProfileSourcedId",
}  # fmt: skip


def csv_files(
    roster: Roster, *, version: str = "1.1", mode: str = "bulk", modes: Mapping[str, str] | None = None
) -> dict[str, str]:
    """The roster as OneRoster CSV files, by name; `modes` says of single files whether they are bulk or delta."""
    headers = CSV_1_2 if version == "1.2" else CSV_1_1
    manifest = {"manifest.version": "1.0", "oneroster.version": version}
    files: dict[str, str] = {}
    for spec in FILES:
        header = headers.get(spec.name)
        manifest[f"file.{spec.name}"] = (modes or {}).get(spec.name, mode) if header else "absent"
        if header is None:
            continue
        names = header.split(",")
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\r\n")
        writer.writerow(names)
        for record in roster.collections[spec.collection]:
            writer.writerow([record.get(spec.columns.get(name, ""), "") for name in names])
        files[f"{spec.name}.csv"] = text.getvalue()
    lines = ["propertyName,value", *(f"{name},{value}" for name, value in manifest.items())]
    return {"manifest.csv": "\r\n".join(lines) + "\r\n"} | files


def write_zip(path: Path, files: Mapping[str, str]) -> Path:
    """The files as a zip, each text as UTF-8."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return path
