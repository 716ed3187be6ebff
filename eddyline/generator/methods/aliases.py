"""Other names of methods, with the same arguments: those that moved within faker."""

from __future__ import annotations

# Names whose module alone changed.
_PLACES = (
    "cardinalDirection", "city", "country", "countryCode", "county", "direction", "latitude",
    "longitude", "nearbyGPSCoordinate", "ordinalDirection", "secondaryAddress", "state",
    "streetAddress", "timeZone", "zipCode",
)  # fmt: skip
_PERSONS = (
    "firstName", "fullName", "gender", "jobArea", "jobDescriptor", "jobTitle", "jobType",
    "lastName", "middleName", "prefix", "suffix",
)  # fmt: skip
# New name -> the name whose method it is.
ALIASES: dict[str, str] = {
    "color.human": "commerce.color",
    "company.name": "company.companyName",
    "company.buzzPhrase": "company.bs",
    "company.buzzAdjective": "company.bsAdjective",
    "company.buzzNoun": "company.bsNoun",
    "company.buzzVerb": "company.bsBuzz",
    "datatype.hexadecimal": "datatype.hexaDecimal",
    "date.timeZone": "address.timeZone",
    "finance.accountNumber": "finance.account",
    "finance.maskedNumber": "finance.mask",
    "helpers.arrayElement": "random.arrayElement",
    "helpers.arrayElements": "random.arrayElements",
    "helpers.objectKey": "random.objectKey",
    "helpers.objectValue": "random.objectElement",
    "helpers.weightedArrayElement": "random.weightedArrayElement",
    "image.url": "image.imageUrl",
    "image.urlLoremFlickr": "image.imageUrl",
    "image.urlPicsumPhotos": "image.imageUrl",
    "internet.displayName": "internet.userName",
    "internet.ipv4": "internet.ip",
    "internet.username": "internet.userName",
    **{f"location.{name}": f"address.{name}" for name in _PLACES},
    "location.street": "address.streetName",
    **{f"person.{name}": f"name.{name}" for name in _PERSONS},
    "person.sex": "name.gender",
    "person.sexType": "name.gender",
    "name.sex": "name.gender",
    "phone.number": "phone.phoneNumber",
    "random.alphanumeric": "random.alphaNumeric",
    "string.uuid": "random.uuid",
    "vehicle.color": "commerce.color",
}
