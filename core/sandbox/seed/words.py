"""Word lists of the seed: names of people, places, firms and buildings. All made up or common; none is a real client."""

# ruff: noqa: SIM905 - a list literal of four hundred quoted words is harder to read and to add to

from __future__ import annotations

FIRST_NAMES = (
    "Aaron Abigail Adam Adrian Agnes Aisha Alan Albert Alice Alicia Allison Alvin Amanda Amber Amir Amy Andrea Andrew "
    "Angela Anita Anthony Antonio April Arthur Ashley Audrey Barbara Beatrice Benjamin Bernard Beth Brandon Brenda "
    "Brian Bridget Bruce Caleb Calvin Carla Carlos Carmen Carol Catherine Cecilia Charles Charlotte Chester Christina "
    "Clara Claude Colin Connor Craig Cynthia Daniel Daphne David Deborah Denise Derek Diana Dolores Dominic Donald "
    "Dorothy Douglas Duncan Edith Edward Eleanor Elias Elizabeth Elliot Emily Emma Eric Esther Ethan Eugene Evelyn "
    "Felix Fiona Florence Frances Francis Gabriel Gail George Gerald Gloria Gordon Grace Graham Gregory Hannah Harold "
    "Harriet Heather Hector Helen Henry Howard Hugh Ian Irene Isaac Isabel Ivan Jack Jacob Jacqueline James Janet "
    "Jasmine Jeffrey Jennifer Jeremy Jerome Jessica Joan Joel John Jonathan Jordan Joseph Joyce Juan Judith Julian "
    "Karen Katherine Keith Kenneth Kevin Kimberly Kyle Lance Laura Lawrence Leah Leonard Leroy Leslie Lillian Linda "
    "Lloyd Louis Lucas Lucy Luis Lydia Malcolm Marcus Margaret Maria Marion Mark Martha Martin Matthew Maureen Maya "
    "Melissa Mercedes Michael Miguel Mildred Miriam Mitchell Monica Morgan Nadia Naomi Natalie Nathan Neil Nicholas "
    "Nina Nora Norman Olga Oliver Olivia Oscar Owen Pamela Patricia Patrick Paul Pauline Peter Philip Phoebe Priya "
    "Quentin Rachel Ralph Ramona Raymond Rebecca Regina Richard Rita Robert Roberta Roger Roland Rosa Ruben Russell "
    "Ruth Samuel Sandra Sarah Scott Sean Sharon Sheila Sidney Simon Sonia Stanley Stella Stephen Stuart Susan Sylvia "
    "Teresa Theodore Thomas Timothy Tobias Tracy Trevor Tyler Ursula Valerie Vanessa Vera Vernon Victor Victoria "
    "Vincent Viola Virginia Walter Wanda Warren Wayne Wendy William Winston Yolanda Yvonne Zachary Zoe"
).split()

LAST_NAMES = (
    "Abbott Ackerman Adler Aldridge Alvarez Amato Anderson Archer Armstrong Atwood Baldwin Ballard Barlow Barrett "
    "Bauer Beckett Bellamy Benitez Bishop Blackwell Blanchard Bowman Bradford Brennan Bridges Brockman Buchanan Burke "
    "Cabrera Calhoun Callahan Campos Cardenas Carmichael Carver Castillo Chandler Chavez Clifton Coleman Conrad Cooper "
    "Cordova Crawford Cunningham Dalton Davenport Delgado Dempsey Dickens Donovan Dougherty Drummond Duarte Dunlap "
    "Eastwood Edmonds Ellison Emerson Escobar Everett Fairchild Falcone Farrell Fenwick Ferguson Finnegan Fitzgerald "
    "Fleming Fletcher Forsythe Foster Franklin Frazier Gallagher Gallego Garrison Gibbons Gilmore Goldberg Goodwin "
    "Grady Griffith Guerrero Gutierrez Haas Hadley Halvorsen Hammond Harrington Hastings Hawkins Hayward Hendricks "
    "Herrera Hobbs Hoffman Holloway Horvath Huang Hubbard Huffman Hutchins Ibarra Ingram Iverson Jacobs Jamison Jensen "
    "Jimenez Johansson Joyner Kaplan Kasparian Kavanagh Keller Kendrick Kensington Kirkland Knapp Kowalski Kruger Lambert "
    "Langley Larkin Lattimore Lawson Leblanc Lindgren Lockhart Lombardi Lowell Lundquist Maddox Maldonado Marchetti "
    "Mathews Maxwell McAllister McBride McCormick McDowell McIntyre Medina Mercado Merrill Middleton Montoya Moreau "
    "Morrison Mukherjee Murdock Nakamura Navarro Newcomb Nielsen Norwood Novak Oakley Obrien Ochoa Okafor Oldham Olsen "
    "Ortega Osborne Pacheco Palmer Pappas Parrish Paxton Pemberton Pennington Petrov Phelps Pickett Ponce Prescott "
    "Quigley Quintero Radcliffe Ramsey Randall Rasmussen Redmond Reinhardt Reyes Rhodes Richter Rivera Robertson Rojas "
    "Rosenthal Rutherford Sadler Salazar Sanders Santiago Saunders Schaefer Schroeder Sheffield Sheridan Sinclair "
    "Skinner Solomon Spencer Stafford Stanton Steele Sterling Stockton Strickland Sutherland Talbot Tanner Thatcher "
    "Thornton Tillman Townsend Trujillo Tuttle Underwood Upton Valdez Vandermeer Vargas Vasquez Vaughn Villanueva "
    "Wadsworth Wagner Wainwright Walcott Wallace Warner Weaver Webster Weinstein Whitaker Whitfield Wilcox Winslow "
    "Wolcott Woodruff Wyatt Yamamoto Yates Yeager Zamora Zeller Ziegler"
).split()

PLACE_HEADS = (
    "Alder Amber Ash Aspen Auburn Bay Bear Birch Black Blue Bright Brook Cedar Chester Clay Clear Clover Cold Copper "
    "Coral Crest Crystal Dale Deer Dover East Edge Elk Elm Ever Fair Falcon Fern Fox Glen Gold Gran Green Hart Haven "
    "Hazel Heron High Holly Iron Ivy Juniper King Lake Lark Laurel Lime Linden Long Maple Marsh Mill Mist North Oak "
    "Orchard Otter Pine Plain Quail Raven Red Ridge River Rock Rose Salt Sand Silver South Spring Stan Stone Summer "
    "Swan Thorn Timber Under Vine Walnut Water West White Wild Willow Wind Winter Wood"
).split()

PLACE_TAILS = (
    "berg borough bridge brook burg burn bury by cliff combe crest dale den field ford gate grove ham haven hill hurst "
    "land leigh ley mead mere mill minster mont moor mouth point pool port ridge shore side stead stoke ton vale view "
    "ville water well wick wood worth"
).split()

BRAND_WORDS = (
    "Acadia Alpine Apex Arbor Arcadia Argus Atlas Aurora Axiom Bastion Beacon Bellwether Boreal Cadence Caldera Canopy "
    "Capstone Cardinal Cascade Catalyst Citadel Cobalt Compass Concord Corona Crescent Cypress Delphi Element Ember "
    "Equinox Everest Fairway Fathom Fjord Foundry Frontier Gateway Granite Halcyon Harbor Helix Heritage Highland "
    "Horizon Indigo Inlet Isthmus Jubilee Keystone Kestrel Lantern Lattice Legacy Liberty Lighthouse Lodestar Lumen "
    "Magnolia Mariner Mason Meridian Monarch Mosaic Navigator Nexus Nimbus Northstar Obsidian Orion Outrigger Palisade "
    "Paragon Pelican Pinnacle Pioneer Prairie Quarry Quorum Redwood Regent Riverbend Sable Sagebrush Sentinel Sequoia "
    "Solstice Sovereign Summit Sundial Tamarack Tempest Terrace Tidewater Trellis Trident Umbra Unity Vanguard Vector "
    "Vertex Vista Waypoint Windward Yardarm Zenith Zephyr"
).split()

STREETS = (
    "Main|Market|Commerce|Church|Elm|Oak|Washington|Franklin|Jefferson|Mill|Harbor|Railroad|College|Park|Union|Lincoln|"
    "Maple|Prospect|Canal|Water|Front|Highland|Summit|Lakeview|Industrial|Technology|Courthouse|Mercer|Pearl|Garden"
).split("|")
STREET_KINDS = ("Street", "Avenue", "Boulevard", "Road", "Drive", "Way", "Place", "Parkway")

BUILDINGS = (
    "Public Library|City Hall|Courthouse|Fire Station|Police Headquarters|Community Center|Recreation Center|"
    "Elementary School|Middle School|High School|Science Building|Student Union|Residence Hall|Field House|"
    "Medical Office Building|Emergency Department|Outpatient Clinic|Cancer Center|Parking Structure|Transit Center|"
    "Bus Depot|Ferry Terminal|Airport Concourse|Pedestrian Bridge|River Bridge|Water Treatment Plant|Pump Station|"
    "Wastewater Plant|Substation|Data Center|Distribution Center|Cold Storage|Office Tower|Mixed-Use Block|"
    "Senior Housing|Workforce Housing|Townhomes|Boutique Hotel|Conference Center|Art Museum|Performing Arts Center|"
    "Botanical Garden|Riverfront Park|Town Green|Sports Complex|Natatorium|Chapel|Synagogue|Research Laboratory|"
    "Veterans Clinic|Records Archive|Maintenance Facility|Corporation Yard|Streetscape|Greenway|Storm Sewer"
).split("|")

WORKS = (
    "Addition|Renovation|Replacement|Modernization|Master Plan|Feasibility Study|Site Design|Expansion|Retrofit|"
    "Condition Assessment|Programming|Schematic Design|Construction Administration|Peer Review|Interior Fit-Out|"
    "Roof Replacement|Envelope Repair|Energy Study|Accessibility Upgrade|Seismic Evaluation|Landscape Plan|Phase II|"
    "Due Diligence|Code Review|Commissioning"
).split("|")

TITLES = (
    "Project Manager|Director of Facilities|Principal|City Engineer|Owner's Representative|Vice President|"
    "Facilities Planner|Procurement Officer|Superintendent|Construction Manager|Development Manager|Controller|"
    "Accounts Payable|Public Works Director|Town Administrator|Program Manager|Design Manager|General Counsel|"
    "Chief Operating Officer|Estimator|Campus Architect|Executive Assistant"
).split("|")

#: Names in scripts and with accents that break code which assumes ASCII: (first, middle, last).
WORLD_NAMES: tuple[tuple[str, str, str], ...] = (
    ("José", "Luis", "Núñez"),
    ("Zoë", "", "Brontë-Ångström"),
    ("Łukasz", "", "Wiśniewski"),
    ("Søren", "", "Kjærgaard"),
    ("Nguyễn", "Thị", "Hương"),
    ("Siobhán", "", "Ní Dhomhnaill"),
    ("太郎", "", "山田"),
    ("小龍", "", "陳"),
    ("민준", "", "김"),
    ("محمد", "", "الأحمد"),
    ("דוד", "", "כהן"),
    ("Ольга", "", "Иванова"),
    ("Αλέξανδρος", "", "Παπαδόπουλος"),
    ("François-Xavier", "", "de La Rochefoucauld"),
    ("Renée", "", "D'Arcy-O'Neill"),
)

WORLD_FIRMS: tuple[str, ...] = (
    "Müller & Söhne Bau GmbH",
    "Société Générale d'Études Québec",
    "山田建設株式会社",
    "شركة الخليج للإنشاءات",
    "אדריכלות כהן בע״מ",
    "Łódzkie Biuro Projektów",
    "Île-de-Montréal Développement",
    "한강 건축사무소",
)

#: Texts that must be shown and never act: markup, a formula, a terminal escape, a direction mark, joined emoji.
HOSTILE = (
    "{name} [/2024]",
    "=cmd|' /C calc'!A0 {name}",
    "\x1b[31m{name}\x1b[0m",
    "\u202e{name}\u202c",
    "👩‍👩‍👧‍👦 {name} 🏗️",
    "<b>{name}</b> & 'Sons' \"Ltd\"",
    "[red]{name}[/red] [@click=app.quit]x[/]",
    "{name}'; DROP TABLE Clendor;--",
)
