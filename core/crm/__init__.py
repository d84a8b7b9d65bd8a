"""The CRM side: Deltek for Professional Services 1.x and Vantagepoint over their REST API.

wire, query, replies    what goes over the wire, as the contract says it may look (pure)
session, client         token; lists read to their end, one record, writes
hubs, catalogue, codes  the four hubs, and what a tenant's metadata and code tables say of them (pure)
mapping, writing        rows to records, changes to bodies (pure)
cursor, namesakes,
refusals, keys          how far a hub was read, what to search before a create, which field a refusal is
                        about, keys this program chooses (pure)
tenant, saving, system  connecting; one write, checked and read back; the port the engine sees
"""
