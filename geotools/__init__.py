"""geotools: from elevation models and earthquake catalogs to maps that say how good they are."""
