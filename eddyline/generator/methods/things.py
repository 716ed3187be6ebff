"""Short lists of common knowledge that Faker has none of: animals, vehicles, music, food.

Each row is a module and name of faker.js and the texts to draw from, separated by commas. Names
that hold a comma are left out.
"""

from __future__ import annotations

from functools import cache, partial

from eddyline.generator.methods.method import Method
from eddyline.generator.methods.word import drawn

WORDS: dict[str, tuple[str, str]] = {
    "airline.aircraftType": (
        "A kind of aircraft.",
        "regional, narrowbody, widebody",
    ),
    "animal.bear": (
        "A species of bear.",
        "American black bear, Asian black bear, Brown bear, Giant panda, Polar bear, Sloth "
        "bear, Spectacled bear, Sun bear",
    ),
    "animal.bird": (
        "A bird.",
        "Barn Owl, Barn Swallow, Blackbird, Blue Tit, Bullfinch, Buzzard, Common Crane, "
        "Cormorant, Crow, Cuckoo, Golden Eagle, Goldfinch, Great Tit, Grey Heron, House "
        "Sparrow, Jackdaw, Jay, Kestrel, Kingfisher, Lapwing, Magpie, Mallard, Nightingale, "
        "Nuthatch, Osprey, Pelican, Peregrine Falcon, Puffin, Raven, Robin, Skylark, Snowy "
        "Owl, Starling, White Stork, Woodpecker, Wren",
    ),
    "animal.cat": (
        "A breed of cat.",
        "Abyssinian, American Shorthair, Balinese, Bengal, Birman, Bombay, British Shorthair, "
        "Burmese, Chartreux, Cornish Rex, Devon Rex, Egyptian Mau, Exotic Shorthair, "
        "Himalayan, Korat, LaPerm, Maine Coon, Manx, Norwegian Forest Cat, Ocicat, Persian, "
        "Ragdoll, Russian Blue, Savannah, Scottish Fold, Siamese, Siberian, Sphynx, "
        "Tonkinese, Turkish Angora",
    ),
    "animal.cetacean": (
        "A whale or dolphin.",
        "Beluga, Blue Whale, Bowhead Whale, Bottlenose Dolphin, Common Dolphin, Fin Whale, "
        "Gray Whale, Harbour Porpoise, Humpback Whale, Minke Whale, Narwhal, Orca, Pilot "
        "Whale, Risso's Dolphin, Sei Whale, Sperm Whale, Spinner Dolphin, Vaquita",
    ),
    "animal.cow": (
        "A breed of cattle.",
        "Aberdeen Angus, Ayrshire, Belgian Blue, Brahman, Brown Swiss, Charolais, Dexter, "
        "Galloway, Gelbvieh, Guernsey, Hereford, Highland, Holstein, Jersey, Kobe, Limousin, "
        "Piedmontese, Red Angus, Shorthorn, Simmental, Texas Longhorn, Wagyu",
    ),
    "animal.crocodilia": (
        "A crocodile or alligator.",
        "American Alligator, American Crocodile, Black Caiman, Chinese Alligator, Cuban "
        "Crocodile, Dwarf Crocodile, Freshwater Crocodile, Gharial, Mugger Crocodile, Nile "
        "Crocodile, Saltwater Crocodile, Spectacled Caiman",
    ),
    "animal.dog": (
        "A breed of dog.",
        "Akita, Airedale Terrier, Australian Shepherd, Basenji, Basset Hound, Beagle, Bernese "
        "Mountain Dog, Border Collie, Boxer, Bulldog, Chihuahua, Chow Chow, Cocker Spaniel, "
        "Dachshund, Dalmatian, Doberman, German Shepherd, Golden Retriever, Great Dane, "
        "Greyhound, Irish Setter, Labrador Retriever, Maltese, Mastiff, Newfoundland, "
        "Papillon, Pomeranian, Poodle, Pug, Rottweiler, Saint Bernard, Samoyed, Schnauzer, "
        "Shiba Inu, Siberian Husky, Vizsla, Weimaraner, Whippet",
    ),
    "animal.fish": (
        "A fish.",
        "Anchovy, Barracuda, Bream, Carp, Catfish, Cod, Eel, Flounder, Grouper, Haddock, "
        "Hake, Halibut, Herring, Mackerel, Marlin, Mullet, Perch, Pike, Plaice, Pollock, "
        "Salmon, Sardine, Sea Bass, Snapper, Sole, Sprat, Sturgeon, Swordfish, Tilapia, "
        "Trout, Tuna, Turbot",
    ),
    "animal.horse": (
        "A breed of horse.",
        "Akhal-Teke, American Quarter Horse, Andalusian, Appaloosa, Arabian, Ardennes, "
        "Breton, Clydesdale, Connemara, Dartmoor Pony, Falabella, Friesian, Haflinger, "
        "Hanoverian, Holsteiner, Icelandic Horse, Lipizzan, Lusitano, Morgan, Mustang, Paso "
        "Fino, Percheron, Shetland Pony, Shire, Thoroughbred, Trakehner, Welsh Pony",
    ),
    "animal.insect": (
        "An insect.",
        "Ant, Aphid, Bumblebee, Butterfly, Cicada, Cockroach, Cricket, Damselfly, Dragonfly, "
        "Earwig, Firefly, Flea, Fruit Fly, Gnat, Grasshopper, Honey Bee, Hornet, Horsefly, "
        "Hoverfly, Lacewing, Ladybird, Locust, Mayfly, Mosquito, Moth, Praying Mantis, Stag "
        "Beetle, Stick Insect, Termite, Wasp, Water Strider, Weevil",
    ),
    "animal.lion": (
        "A kind of lion.",
        "Asiatic Lion, Barbary Lion, Cape Lion, East African Lion, Katanga Lion, West African "
        "Lion",
    ),
    "animal.petName": (
        "A name people give to pets.",
        "Bailey, Bella, Buddy, Charlie, Chloe, Coco, Cooper, Daisy, Duke, Ginger, Jack, Leo, "
        "Lily, Loki, Lola, Lucky, Lucy, Luna, Max, Milo, Molly, Nala, Oliver, Oscar, Pepper, "
        "Rocky, Rosie, Ruby, Sadie, Shadow, Simba, Sophie, Tiger, Toby, Zoe",
    ),
    "animal.rabbit": (
        "A breed of rabbit.",
        "American, Angora, Belgian Hare, Californian, Chinchilla, Dutch, Dwarf Hotot, English "
        "Lop, English Spot, Flemish Giant, French Lop, Harlequin, Havana, Himalayan, Holland "
        "Lop, Lionhead, Mini Lop, Netherland Dwarf, New Zealand, Polish, Rex, Satin, Silver "
        "Fox",
    ),
    "animal.rodent": (
        "A rodent.",
        "Beaver, Black Rat, Capybara, Chinchilla, Chipmunk, Degu, Dormouse, Flying Squirrel, "
        "Gerbil, Gopher, Grey Squirrel, Guinea Pig, Hamster, House Mouse, Lemming, Marmot, "
        "Mole Rat, Muskrat, Nutria, Paca, Porcupine, Prairie Dog, Red Squirrel, Vole, Wood "
        "Mouse",
    ),
    "animal.snake": (
        "A snake.",
        "Adder, Anaconda, Ball Python, Black Mamba, Boa Constrictor, Boomslang, Bushmaster, "
        "Coral Snake, Corn Snake, Cottonmouth, Death Adder, Garter Snake, Gopher Snake, Grass "
        "Snake, Green Mamba, King Cobra, King Snake, Krait, Milk Snake, Puff Adder, "
        "Rattlesnake, Reticulated Python, Sea Snake, Taipan, Tiger Snake, Viper",
    ),
    "animal.type": (
        "A kind of animal.",
        "bear, bird, cat, cetacean, cow, crocodilia, dog, fish, horse, insect, lion, rabbit, "
        "rodent, snake",
    ),
    "book.author": (
        "A writer.",
        "Agatha Christie, Albert Camus, Anton Chekhov, Charles Dickens, Charlotte Brontë, "
        "Chinua Achebe, Edgar Allan Poe, Emily Dickinson, Ernest Hemingway, Franz Kafka, "
        "Fyodor Dostoevsky, Gabriel García Márquez, George Eliot, George Orwell, Gustave "
        "Flaubert, Herman Melville, James Joyce, Jane Austen, Jorge Luis Borges, Leo Tolstoy, "
        "Mark Twain, Mary Shelley, Miguel de Cervantes, Oscar Wilde, Thomas Mann, Toni "
        "Morrison, Victor Hugo, Virginia Woolf, William Shakespeare",
    ),
    "book.format": (
        "How a book is published.",
        "Audiobook, Ebook, Hardcover, Paperback",
    ),
    "book.genre": (
        "A genre of books.",
        "Adventure, Biography, Classic, Comic, Crime, Drama, Essay, Fable, Fantasy, "
        "Historical Fiction, Horror, Humour, Legend, Memoir, Mystery, Mythology, Philosophy, "
        "Poetry, Romance, Science Fiction, Short Story, Thriller, Western",
    ),
    "book.publisher": (
        "A publisher.",
        "Allen & Unwin, Bloomsbury, Cambridge University Press, Faber and Faber, Farrar "
        "Straus and Giroux, HarperCollins, Harvard University Press, Hodder & Stoughton, "
        "Macmillan, McGraw-Hill, MIT Press, Oxford University Press, Penguin, Random House, "
        "Routledge, Simon & Schuster, Springer, Wiley",
    ),
    "book.title": (
        "A book.",
        "A Tale of Two Cities, Anna Karenina, Beloved, Bleak House, Brave New World, Crime "
        "and Punishment, David Copperfield, Don Quixote, Dracula, Emma, Frankenstein, Great "
        "Expectations, Gulliver's Travels, Hamlet, Jane Eyre, Les Misérables, Madame Bovary, "
        "Middlemarch, Moby-Dick, Nineteen Eighty-Four, Pride and Prejudice, Robinson Crusoe, "
        "The Great Gatsby, The Idiot, The Odyssey, The Trial, To the Lighthouse, Treasure "
        "Island, Ulysses, War and Peace, Wuthering Heights",
    ),
    "color.space": (
        "A colour space.",
        "ACES, Adobe RGB, CIELAB, CIELUV, CIEXYZ, CMYK, DCI-P3, HSL, HSLuv, HSV, HWB, LCh, "
        "ProPhoto RGB, Rec. 2020, Rec. 709, sRGB, YCbCr, YIQ, YUV",
    ),
    "database.collation": (
        "A collation.",
        "ascii_bin, ascii_general_ci, cp1250_bin, cp1250_general_ci, latin1_swedish_ci, "
        "utf8_bin, utf8_general_ci, utf8_unicode_ci, utf8mb4_0900_ai_ci, utf8mb4_unicode_ci",
    ),
    "database.column": (
        "The name of a column.",
        "avatar, category, comment, createdAt, email, group, id, name, password, phone, "
        "status, title, token, updatedAt",
    ),
    "database.engine": (
        "A storage engine.",
        "ARCHIVE, BLACKHOLE, CSV, InnoDB, MEMORY, MyISAM, RocksDB",
    ),
    "database.type": (
        "A type of a column.",
        "bigint, binary, bit, blob, boolean, date, datetime, decimal, double, enum, float, "
        "geometry, int, point, real, set, smallint, text, time, timestamp, tinyint, varchar",
    ),
    "food.adjective": (
        "What food is like.",
        "bitter, creamy, crispy, crunchy, delicious, fluffy, fresh, golden, juicy, rich, "
        "salty, savory, smoky, sour, spicy, sweet, tangy, tender, zesty",
    ),
    "food.dish": (
        "A dish.",
        "Beef Stew, Bibimbap, Borscht, Caesar Salad, Cassoulet, Chicken Curry, Chilli con "
        "Carne, Couscous, Falafel, Fish and Chips, Goulash, Hamburger, Hummus, Lasagne, "
        "Meatballs, Minestrone, Moussaka, Pad Thai, Paella, Peking Duck, Pho, Pierogi, Pizza "
        "Margherita, Ramen, Ratatouille, Risotto, Sauerbraten, Shakshuka, Spaghetti "
        "Carbonara, Sushi, Tacos, Tom Yum, Wiener Schnitzel",
    ),
    "food.ethnicCategory": (
        "A cuisine.",
        "Brazilian, Chinese, Ethiopian, French, Georgian, German, Greek, Indian, Italian, "
        "Japanese, Korean, Lebanese, Mexican, Moroccan, Peruvian, Polish, Portuguese, "
        "Spanish, Thai, Turkish, Vietnamese",
    ),
    "food.fruit": (
        "A fruit.",
        "apple, apricot, banana, blackberry, blueberry, cherry, cranberry, date, fig, grape, "
        "grapefruit, guava, kiwi, lemon, lime, lychee, mango, melon, nectarine, orange, "
        "papaya, peach, pear, pineapple, plum, pomegranate, quince, raspberry, strawberry, "
        "watermelon",
    ),
    "food.ingredient": (
        "An ingredient.",
        "almonds, barley, basil, butter, cheddar, chickpeas, cinnamon, coconut milk, "
        "couscous, cream, eggs, flour, garlic, ginger, honey, lentils, milk, mozzarella, "
        "mushrooms, mustard, noodles, oats, olive oil, onion, parmesan, parsley, pasta, "
        "potatoes, rice, saffron, salt, soy sauce, sugar, tofu, tomatoes, vanilla, vinegar, "
        "yeast, yoghurt",
    ),
    "food.meat": (
        "A kind of meat.",
        "beef, chicken, duck, goat, goose, kangaroo, lamb, ostrich, pigeon, pork, quail, "
        "rabbit, turkey, veal, venison",
    ),
    "food.spice": (
        "A spice.",
        "allspice, anise, bay leaf, black pepper, caraway, cardamom, cayenne, chilli, "
        "cinnamon, cloves, coriander, cumin, curry powder, dill, fennel, fenugreek, garam "
        "masala, ginger, mace, mustard seed, nutmeg, oregano, paprika, rosemary, saffron, "
        "sage, star anise, sumac, thyme, turmeric",
    ),
    "food.vegetable": (
        "A vegetable.",
        "artichoke, asparagus, aubergine, beetroot, broccoli, cabbage, carrot, cauliflower, "
        "celery, chard, cucumber, endive, fennel, garlic, kale, leek, lettuce, okra, onion, "
        "parsnip, peas, potato, pumpkin, radish, rocket, spinach, sweet potato, sweetcorn, "
        "tomato, turnip, zucchini",
    ),
    "music.genre": (
        "A kind of music.",
        "Blues, Classical, Country, Electronic, Folk, Funk, Gospel, Hip Hop, Jazz, Latin, "
        "Metal, Pop, Punk, Reggae, Rock, Ska, Soul, Techno",
    ),
    "person.bio": (
        "What somebody is, in a word or two.",
        "activist, blogger, book lover, coach, dreamer, engineer, environmentalist, film "
        "lover, founder, friend, gamer, geek, model, musician, nerd, parent, patriot, "
        "photographer, public speaker, scientist, singer, student, teacher, traveler, "
        "veteran, writer",
    ),
    "person.zodiacSign": (
        "A sign of the zodiac.",
        "Aquarius, Aries, Cancer, Capricorn, Gemini, Leo, Libra, Pisces, Sagittarius, "
        "Scorpio, Taurus, Virgo",
    ),
    "science.element": (
        "A chemical element.",
        "Aluminium, Argon, Arsenic, Barium, Beryllium, Bismuth, Boron, Bromine, Cadmium, "
        "Caesium, Calcium, Carbon, Chlorine, Chromium, Cobalt, Copper, Fluorine, Gallium, "
        "Germanium, Gold, Hafnium, Helium, Hydrogen, Indium, Iodine, Iridium, Iron, Krypton, "
        "Lead, Lithium, Magnesium, Manganese, Mercury, Molybdenum, Neon, Nickel, Niobium, "
        "Nitrogen, Osmium, Oxygen, Palladium, Phosphorus, Platinum, Plutonium, Polonium, "
        "Potassium, Radium, Radon, Rhodium, Rubidium, Selenium, Silicon, Silver, Sodium, "
        "Strontium, Sulfur, Tantalum, Tellurium, Thallium, Thorium, Tin, Titanium, Tungsten, "
        "Uranium, Vanadium, Xenon, Yttrium, Zinc, Zirconium",
    ),
    "science.unit": (
        "A unit of measurement.",
        "ampere, becquerel, candela, coulomb, degree Celsius, farad, gray, henry, hertz, "
        "joule, kelvin, kilogram, lumen, lux, metre, mole, newton, ohm, pascal, radian, "
        "second, siemens, sievert, steradian, tesla, volt, watt, weber",
    ),
    "vehicle.bicycle": (
        "A kind of bicycle.",
        "BMX Bicycle, Cargo Bicycle, City Bicycle, Cruiser Bicycle, Cyclocross Bicycle, "
        "Fixed-Gear Bicycle, Folding Bicycle, Gravel Bicycle, Hybrid Bicycle, Mountain "
        "Bicycle, Recumbent Bicycle, Road Bicycle, Tandem Bicycle, Touring Bicycle, Track "
        "Bicycle, Triathlon Bicycle",
    ),
    "vehicle.fuel": (
        "What a vehicle is driven by.",
        "Diesel, Electric, Gasoline, Hybrid, Hydrogen",
    ),
    "vehicle.manufacturer": (
        "A manufacturer of vehicles.",
        "Alfa Romeo, Aston Martin, Audi, Bentley, BMW, Bugatti, BYD, Cadillac, Chevrolet, "
        "Chrysler, Citroën, Cupra, Dacia, Dodge, Ferrari, Fiat, Ford, Geely, Honda, Hyundai, "
        "Jaguar, Jeep, Kia, Lamborghini, Land Rover, Lexus, Maserati, Mazda, Mercedes Benz, "
        "Mini, Mitsubishi, Nissan, Opel, Peugeot, Polestar, Porsche, Renault, Rolls Royce, "
        "Seat, Škoda, Subaru, Suzuki, Tata, Tesla, Toyota, Volkswagen, Volvo",
    ),
    "vehicle.model": (
        "A model of a vehicle.",
        "A4, Accord, Altima, Astra, Aygo, Beetle, Camaro, Camry, Challenger, Civic, Clio, "
        "Corolla, Corsa, Cruze, Cube, Duster, Escalade, Explorer, F-150, Fabia, Fiesta, "
        "Focus, Golf, Impala, Jetta, Leaf, Malibu, Micra, Model 3, Model S, Mustang, Octavia, "
        "Outback, Panda, Passat, Picanto, Polo, Prius, Ranger, Roadster, Sentra, Tucson, "
        "Twingo, Wrangler, Yaris, Zoe",
    ),
    "vehicle.type": (
        "A kind of vehicle.",
        "Cargo Van, Convertible, Coupe, Crew Cab Pickup, Estate, Hatchback, Minivan, "
        "Passenger Van, Pickup, Sedan, SUV, Wagon",
    ),
    "word.conjunction": (
        "An English conjunction.",
        "after, although, and, as, because, before, but, if, lest, nor, once, or, since, so, "
        "than, that, though, unless, until, when, whenever, where, whereas, wherever, while, "
        "yet",
    ),
    "word.interjection": (
        "An English interjection.",
        "ah, aha, alas, boo, bravo, eh, er, gee, ha, hey, hmm, hurrah, no, oh, ooh, oops, "
        "ouch, pish, psst, ugh, um, whoa, wow, yay, yes, yippee, yuck",
    ),
    "word.preposition": (
        "An English preposition.",
        "about, above, across, after, against, along, amid, around, as, at, before, behind, "
        "below, beneath, beside, between, beyond, by, during, for, from, in, inside, into, "
        "like, near, of, off, on, onto, outside, over, past, since, through, to, toward, "
        "under, until, up, upon, with, within, without",
    ),
}  # fmt: skip


@cache
def words(name: str) -> list[str]:
    """The texts of one row."""
    return [text.strip() for text in WORDS[name][1].split(",")]


METHODS = tuple(
    Method(name, "", doc, drawn(partial(words, name)), name, r"\S.*")
    for name, (doc, _) in WORDS.items()
)
