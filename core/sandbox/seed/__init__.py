"""Made-up records of an architecture and engineering practice for the two emulated systems.

The same seed number and counts give the same records in the same order, on any machine; only dates and stamps follow
the clock of the data. Promises, for every seed (held by ``tests/sandbox/test_seed_promises.py``):

- at least a quarter of the firms, contacts and projects are in the CRM only, unticked, uniquely named, active and
  complete; a project of these has a client and a template to choose;
- at least one firm, itself one of these, has six such contacts, and one of these projects has six contacts;
- at least a quarter are on both sides with strong evidence: a firm by name and one of e-mail, web site, phone and
  postcode, a contact by e-mail and last name, a project by number and name;
- the rest are the hard cases (``firms.CASES``, ``contacts.CASES``, ``projects.CASES``).
"""

from __future__ import annotations

from random import Random

from core.sandbox.ajera.data import AjeraData
from core.sandbox.crm.data import CrmData
from core.sandbox.seed.books import write_books
from core.sandbox.seed.plan import make_world
from core.sandbox.seed.to_ajera import AjeraWriter
from core.sandbox.seed.to_crm import CrmWriter
from core.sandbox.seed.world import World

__all__ = ["World", "make_world", "seed"]


def seed(
    ajera: AjeraData,
    crm: CrmData,
    *,
    firms: int = 60,
    contacts: int = 140,
    projects: int = 90,
    employees: int = 24,
    seed: int = 1,
) -> World:
    """Fill two empty systems; answers what was written, with the keys that each record got.

    Counts are of real-world things: a firm on both sides counts once. One firm always has six contacts, so 1 to 7
    contacts become 8 where there are firms; 0 stays 0.
    """
    now = ajera.clock()
    world = make_world(
        firms=firms, contacts=contacts, projects=projects, employees=employees, seed=seed, today=now.date()
    )
    AjeraWriter(ajera, Random(f"{seed}:ajera"), now).write(world)
    CrmWriter(crm, Random(f"{seed}:crm"), now).write(world)
    write_books(ajera, world, Random(f"{seed}:books"), now.date())
    return world
