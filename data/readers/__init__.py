"""What is really published, turned into observations: one module a source, each saying which column is the price and which kind it is.

Regions: a country code is written in lower case (`US` is `us`); where the source speaks of no place (`global`, `any`, a quality of
service) the region is null. A null region is *everywhere or unknown*: an index of all the world (`H100-SXM.GLOBAL.FIRM`) takes rows of
any region, null ones too, an index of one region only the rows that name it.
"""
