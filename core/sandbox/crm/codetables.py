"""The code tables a tenant starts with (contract section 13): rows of Code, Description, Seq and Status."""

from __future__ import annotations

from typing import Any

# The name under which the Ajera project template list is kept; a quirk gives the name it has on the wire.
TEMPLATE_TABLE = "CFGAjeraProjectTemplate"

_LISTS: dict[str, str] = {
    "CFGClientStatus": "A=Active;I=Inactive;D=Dormant",
    "CFGClientType": "COM=Commercial;EDU=Education;HC=Healthcare;IND=Industrial;MUN=Municipal;RES=Residential;"
    "TRAN=Transportation;UTIL=Utilities;FED=Federal;STA=State Government",
    "CFGClientCurrentStatus": "Existing=Existing;Former=Former;Prospect=Prospective;Consult=Consultant",
    "CFGVendorType": "C=Consultant;T=Trade;O=Other",
    "CFGClientRole": "sysOwner=Owner;Prime=Prime;Sub=Subconsultant;Contr=Contractor;Agency=Agency",
    "CFGContactRole": "Owner=Owner;OwnerRep=Owner's Representative;PM=Project Manager;AP=Accounts Payable;"
    "Tech=Technical Contact;Bill=Billing Contact;Arch=Architect;Insp=Inspector",
    "CFGContactTitle": "President=President;CFO=Chief Financial Officer;PM=Project Manager;Eng=Engineer",
    "CFGContactType": "C=Client;V=Vendor",
    "CFGContactStatus": "A=Active;I=Inactive",
    "CFGPrefix": "Mr.=Mr.;Mrs.=Mrs.;Ms.=Ms.;Dr.=Dr.;Prof.=Prof.",
    "CFGSuffix": "Jr.=Jr.;Sr.=Sr.;II=II;III=III;IV=IV;PE=PE;AIA=AIA;CPA=CPA",
    "CFGEmployeeRole": "sysPR=Principal;sysPM=Project Manager;sysSP=Supervisor;Arch=Architect;Eng=Engineer;"
    "Draft=Drafter;Survey=Surveyor;Design=Designer;Admin=Administration;Insp=Inspector",
    "CFGEmployeeStatus": "A=Active;I=Inactive;T=Terminated",
    "CFGEmployeeType": "E=Employee;P=Principal",
    "CFGProjectStatus": "A=Active;I=Inactive;D=Dormant",
    "CFGProjectStage": "01=Lead;02=Qualified;03=Proposal;04=Short List;~WDEF~=Won;~LDEF~=Lost;~DDEF~=Do Not Pursue",
    "CFGChargeType": "R=Regular;H=Overhead;P=Promotional",
    "ProjectType": "ARCH=Architecture;CIV=Civil;ENV=Environmental;LAND=Landscape;MEP=Mechanical Electrical;"
    "STR=Structural;SURV=Survey;PLAN=Planning",
    "FW_CFGCurrency": "USD=US Dollar;CAD=Canadian Dollar;EUR=Euro;GBP=Pound Sterling;AUD=Australian Dollar",
    "CFGActivityType": "Call=Phone Call;Mail=E-mail;Meet=Meeting;Task=Task",
    "BTLABORCATS": "1=Principal;2=Project Manager;3=Engineer;4=Designer;5=Administration",
    TEMPLATE_TABLE: "",
}

_COUNTRIES = (
    "US=United States;CA=Canada;MX=Mexico;GB=United Kingdom;IE=Ireland;DE=Germany;FR=France;ES=Spain;PT=Portugal;"
    "IT=Italy;CH=Switzerland;AT=Austria;NL=Netherlands;BE=Belgium;LU=Luxembourg;DK=Denmark;SE=Sweden;NO=Norway;"
    "FI=Finland;IS=Iceland;PL=Poland;CZ=Czech Republic;HU=Hungary;GR=Greece;TR=Turkey;IL=Israel;"
    "AE=United Arab Emirates;SA=Saudi Arabia;IN=India;CN=China;JP=Japan;KR=South Korea;TW=Taiwan;SG=Singapore;"
    "AU=Australia;NZ=New Zealand;ZA=South Africa;BR=Brazil;AR=Argentina;CL=Chile;PR=Puerto Rico"
)
_US_STATES = (
    "AL=Alabama;AK=Alaska;AZ=Arizona;AR=Arkansas;CA=California;CO=Colorado;CT=Connecticut;DE=Delaware;"
    "DC=District of Columbia;FL=Florida;GA=Georgia;HI=Hawaii;ID=Idaho;IL=Illinois;IN=Indiana;IA=Iowa;KS=Kansas;"
    "KY=Kentucky;LA=Louisiana;ME=Maine;MD=Maryland;MA=Massachusetts;MI=Michigan;MN=Minnesota;MS=Mississippi;"
    "MO=Missouri;MT=Montana;NE=Nebraska;NV=Nevada;NH=New Hampshire;NJ=New Jersey;NM=New Mexico;NY=New York;"
    "NC=North Carolina;ND=North Dakota;OH=Ohio;OK=Oklahoma;OR=Oregon;PA=Pennsylvania;RI=Rhode Island;"
    "SC=South Carolina;SD=South Dakota;TN=Tennessee;TX=Texas;UT=Utah;VT=Vermont;VA=Virginia;WA=Washington;"
    "WV=West Virginia;WI=Wisconsin;WY=Wyoming;PR=Puerto Rico;GU=Guam;VI=Virgin Islands"
)
_CA_PROVINCES = (
    "AB=Alberta;BC=British Columbia;MB=Manitoba;NB=New Brunswick;NL=Newfoundland and Labrador;NS=Nova Scotia;"
    "NT=Northwest Territories;NU=Nunavut;ON=Ontario;PE=Prince Edward Island;QC=Quebec;SK=Saskatchewan;YT=Yukon"
)


def code_rows(text: str, **more: str) -> list[dict[str, Any]]:
    """Rows from ``code=description;...``, numbered in their order."""
    pairs = [part.split("=", 1) for part in text.split(";") if part]
    return [
        {"Code": code, "Description": description, "Seq": seq, "Status": "A", **more}
        for seq, (code, description) in enumerate(pairs, 1)
    ]


def default_code_tables() -> dict[str, list[dict[str, Any]]]:
    """Every code table of contract section 13, the countries and states among them."""
    tables = {name: code_rows(text) for name, text in _LISTS.items()}
    tables["CFGCountry"] = code_rows(_COUNTRIES)
    tables["CFGStates"] = code_rows(_US_STATES, Country="United States") + code_rows(_CA_PROVINCES, Country="Canada")
    return tables
