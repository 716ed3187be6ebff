"""Names of fiction that published faker recipes draw from: characters, places and things.

Each row is a provider's method, lower case and without underscores, and its texts separated by
commas; a row that begins with ``=`` has the texts of another.
"""

from __future__ import annotations

FICTION: dict[str, str] = {
    "harrypotter.character": (
        "Harry Potter, Hermione Granger, Ron Weasley, Albus Dumbledore, Severus Snape, Rubeus "
        "Hagrid, Draco Malfoy, Ginny Weasley, Neville Longbottom, Luna Lovegood, Sirius Black, "
        "Remus Lupin, Minerva McGonagall, Tom Riddle, Bellatrix Lestrange, Cho Chang, Cedric "
        "Diggory, Dobby, Filius Flitwick, Fred Weasley, George Weasley, Molly Weasley, "
        "Nymphadora Tonks, Lucius Malfoy"
    ),
    "harrypotter.characters": "=harrypotter.character",
    "harrypotter.spell": (
        "Accio, Aguamenti, Alohomora, Avada Kedavra, Confundo, Crucio, Cruciatus, Episkey, "
        "Expecto Patronum, Expelliarmus, Finite Incantatem, Imperio, Impedimenta, Incendio, "
        "Levicorpus, Lumos, Muffliato, Nox, Obliviate, Petrificus Totalus, Protego, Reducto, "
        "Reparo, Riddikulus, Sectumsempra, Silencio, Stupefy, Wingardium Leviosa"
    ),
    "harrypotter.spells": "=harrypotter.spell",
    "harrypotter.house": "Gryffindor, Hufflepuff, Ravenclaw, Slytherin",
    "harrypotter.location": (
        "Hogwarts, Hogsmeade, Diagon Alley, Knockturn Alley, The Burrow, Azkaban, Forbidden "
        "Forest, Platform Nine and Three-Quarters, Gringotts, Ministry of Magic, Shrieking "
        "Shack, Privet Drive, Godric's Hollow, Durmstrang, Beauxbatons"
    ),
    "harrypotter.book": (
        "Philosopher's Stone, Chamber of Secrets, Prisoner of Azkaban, Goblet of Fire, Order of "
        "the Phoenix, Half-Blood Prince, Deathly Hallows"
    ),
    "lordoftherings.character": (
        "Frodo Baggins, Samwise Gamgee, Gandalf, Aragorn, Legolas, Gimli, Boromir, Faramir, "
        "Gollum, Bilbo Baggins, Elrond, Galadriel, Arwen, Saruman, Sauron, Théoden, Éowyn, "
        "Éomer, Treebeard, Meriadoc Brandybuck, Peregrin Took, Tom Bombadil"
    ),
    "lordoftherings.location": (
        "The Shire, Rivendell, Mordor, Minas Tirith, Minas Morgul, Helm's Deep, Isengard, "
        "Lothlórien, Mirkwood, Moria, Bree, Edoras, Fangorn, Mount Doom"
    ),
    "hobbit.character": "Bilbo Baggins, Thorin, Balin, Dwalin, Fíli, Kíli, Bombur, Gandalf, Smaug",
    "hobbit.location": "Bag End, Rivendell, Lake-town, Lonely Mountain, Mirkwood, Misty Mountains",
    "gameofthrones.character": (
        "Jon Snow, Arya Stark, Sansa Stark, Bran Stark, Eddard Stark, Tyrion Lannister, Cersei "
        "Lannister, Jaime Lannister, Daenerys Targaryen, Brienne of Tarth, Samwell Tarly, Theon "
        "Greyjoy, Jorah Mormont, Davos Seaworth, Stannis Baratheon, Melisandre, Varys, Bronn"
    ),
    "gameofthrones.house": (
        "Arryn, Baratheon, Bolton, Frey, Greyjoy, Lannister, Martell, Mormont, Stark, "
        "Targaryen, Tarly, Tully, Tyrell"
    ),
    "gameofthrones.city": (
        "Braavos, King's Landing, Lannisport, Meereen, Oldtown, Pentos, Qarth, Volantis, White "
        "Harbor, Winterfell"
    ),
    "gameofthrones.dragon": "Balerion, Drogon, Meraxes, Rhaegal, Vhagar, Viserion",
    "rickandmorty.character": (
        "Rick Sanchez, Morty Smith, Summer Smith, Beth Smith, Jerry Smith, Birdperson, "
        "Squanchy, Mr. Meeseeks, Mr. Poopybutthole, Tammy Gueterman, Unity, Krombopulos "
        "Michael, Evil Morty, Jessica, Scary Terry, Snuffles, Noob-Noob, Tiny Rick"
    ),
    "rickandmorty.location": (
        "Earth (C-137), Earth (Replacement Dimension), Abadango, Anatomy Park, Bird World, "
        "Citadel of Ricks, Cronenberg Earth, Dwarf Terrace-9, Froopyland, Gazorpazorp, "
        "Immortality Field Resort, Planet Squanch, Purge Planet, St. Gloopy Noops"
    ),
    "rickandmorty.quote": (
        "Wubba Lubba Dub Dub!, Get schwifty., I'm Mr. Meeseeks! Look at me!, Grass tastes bad., "
        "Show me what you got."
    ),
    "drwho.thedoctor": (
        "First Doctor, Second Doctor, Third Doctor, Fourth Doctor, Fifth Doctor, Sixth Doctor, "
        "Seventh Doctor, Eighth Doctor, War Doctor, Ninth Doctor, Tenth Doctor, Eleventh "
        "Doctor, Twelfth Doctor, Thirteenth Doctor"
    ),
    "drwho.thedoctors": "=drwho.thedoctor",
    "drwho.character": (
        "Amy Pond, Rory Williams, Clara Oswald, Rose Tyler, Martha Jones, Donna Noble, River "
        "Song, Sarah Jane Smith, Jack Harkness, Bill Potts, Yasmin Khan, The Master"
    ),
    "drwho.species": (
        "Adipose, Auton, Cyberman, Dalek, Ice Warrior, Judoon, Ood, Silence, Slitheen, "
        "Sontaran, Time Lord, Weeping Angel, Zygon"
    ),
    "drwho.villain": "Davros, Daleks, Cybermen, The Master, Missy, The Silence, Sontarans",
    "drwho.villian": "=drwho.villain",
    "drwho.actor": (
        "William Hartnell, Patrick Troughton, Jon Pertwee, Tom Baker, Peter Davison, Colin "
        "Baker, Sylvester McCoy, Paul McGann, David Tennant, Matt Smith, Peter Capaldi"
    ),
    "starwars.character": (
        "Luke Skywalker, Leia Organa, Han Solo, Darth Vader, Yoda, Chewbacca, R2-D2, C-3PO, "
        "Obi-Wan Kenobi, Padmé Amidala, Lando Calrissian, Boba Fett, Rey, Finn, Kylo Ren"
    ),
    "starwars.planets": "Alderaan, Bespin, Coruscant, Dagobah, Endor, Hoth, Jakku, Naboo, Tatooine",
    "starwars.planet": "=starwars.planets",
    "starwars.species": "Droid, Ewok, Gungan, Human, Hutt, Jawa, Rodian, Wookiee, Zabrak",
    "startrek.character": (
        "James T. Kirk, Spock, Leonard McCoy, Uhura, Montgomery Scott, Jean-Luc Picard, William "
        "Riker, Data, Deanna Troi, Worf, Kathryn Janeway, Benjamin Sisko"
    ),
    "startrek.location": "Qo'noS, Romulus, Vulcan, Bajor, Cardassia, Risa, Utopia Planitia, Earth",
    "startrek.species": "Andorian, Bajoran, Borg, Cardassian, Ferengi, Human, Klingon, Vulcan",
    "startrek.specie": "=startrek.species",
    "startrek.villain": "Khan Noonien Singh, Gul Dukat, Q, General Chang, Lore, The Borg Queen",
    "superhero.name": (
        "Agent Sonic, Black Panther, Captain Comet, Cyber Phoenix, Doctor Thunder, Giant Hawk, "
        "Illustrious Storm, Magnificent Falcon, Mister Shadow, Night Spark, Red Knight, Silver "
        "Fist, Supah Lightning, The Brain, Ultra Mantis, Wonder Owl"
    ),
    "superhero.power": (
        "Agility, Animal Control, Cold Resistance, Danger Sense, Duplication, Elasticity, "
        "Energy Blasts, Flight, Heat Vision, Immortality, Invisibility, Levitation, Magnetism, "
        "Precognition, Shapeshifting, Sonar, Super Speed, Super Strength, Telekinesis, "
        "Telepathy, Time Travel, Vision - X-Ray, Weather Control"
    ),
    "superhero.prefix": (
        "The, Magnificent, Ultra, Supah, Illustrious, Agent, Cyborg, Dark, Giant, Mr, Doctor, "
        "Red, Green, General, Captain"
    ),
    "superhero.suffix": "I, II, III, IX, XI, Claw, Man, Woman, Machine, Strike, X, Eyes, Skull",
    "superhero.descriptor": "A-Bomb, Abomination, Angel, Ant-Man, Atom, Banshee, Beast, Blade",
    "space.planet": "Mercury, Venus, Earth, Mars, Jupiter, Saturn, Uranus, Neptune",
    "space.moon": "Moon, Luna, Deimos, Phobos, Ganymede, Callisto, Io, Europa, Titan, Rhea, Triton",
    "space.galaxy": (
        "Milky Way, Andromeda, Triangulum, Whirlpool, Blackeye, Sunflower, Pinwheel, Large "
        "Magellanic Cloud, Small Magellanic Cloud, Cartwheel"
    ),
    "space.star": (
        "Sun, Proxima Centauri, Rigil Kentaurus, Barnard's Star, Wolf 359, Sirius, Vega, "
        "Procyon, Tau Ceti, Altair, Arcturus"
    ),
    "space.nebula": (
        "Lagoon Nebula, Eagle Nebula, Triffid Nebula, Dumbell Nebula, Orion Nebula, Ring "
        "Nebula, Crab Nebula"
    ),
    "space.starcluster": "Wild Duck, Hyades, Coma, Butterfly, Messier 7, Pleiades, Beehive Cluster",
    "space.constellation": (
        "Big Dipper, Little Dipper, Orion, Leo, Gemini, Cancer, Canis Minor, Ursa Major, Ursa "
        "Minor, Virgo, Libra, Scorpius, Sagittarius, Lyra, Cassiopeia"
    ),
    "space.agency": (
        "National Aeronautics and Space Administration, European Space Agency, German Aerospace "
        "Center, Indian Space Research Organization, China National Space Administration, Japan "
        "Aerospace Exploration Agency, UK Space Agency, Brazilian Space Agency, Canadian Space "
        "Agency"
    ),
    "space.agencyabbreviation": "NASA, AEM, AEB, UKSA, CSA, CNSA, ESA, DLR, ISRO, JAXA, ISA, CNES",
    "space.nasaspacecraft": (
        "Orion, Mercury, Gemini, Apollo, Enterprise, Columbia, Challenger, Discovery, Atlantis, "
        "Endeavour"
    ),
    "space.company": (
        "Rocket Lab, SpaceX, Blue Origin, Virgin Galactic, Bigelow Aerospace, Sierra Nevada, "
        "Boeing, Lockheed Martin, Thales Alenia Space, Airbus Defence and Space"
    ),
    "dune.character": (
        "Paul Atreides, Lady Jessica, Leto Atreides, Chani, Stilgar, Gurney Halleck, Duncan "
        "Idaho, Thufir Hawat, Vladimir Harkonnen, Feyd-Rautha, Shaddam IV, Irulan"
    ),
    "dune.planet": "Arrakis, Caladan, Giedi Prime, Ix, Kaitain, Salusa Secundus, Tleilax",
    "dune.title": "Baron, Count, Duke, Emperor, Lady, Lord, Princess, Reverend Mother, Sayyadina",
    "pokemon.name": (
        "Bulbasaur, Charmander, Squirtle, Pikachu, Eevee, Jigglypuff, Meowth, Psyduck, Snorlax, "
        "Gengar, Lapras, Dragonite, Mewtwo, Mew, Vulpix, Onix, Machop, Abra"
    ),
    "pokemon.location": (
        "Pallet Town, Viridian City, Pewter City, Cerulean City, Vermilion City, Lavender Town, "
        "Celadon City, Fuchsia City, Saffron City, Cinnabar Island"
    ),
    "friends.character": (
        "Rachel Green, Joey Tribbiani, Phoebe Buffay, Chandler Bing, Monica Geller, Ross "
        "Geller, Gunther, Janice Hosenstein"
    ),
    "friends.location": "Central Perk, Monica's Apartment, Barbados, Las Vegas",
    "bigbangtheory.character": (
        "Sheldon Cooper, Leonard Hofstadter, Penny, Howard Wolowitz, Rajesh Koothrappali, Amy "
        "Farrah Fowler, Bernadette Rostenkowski, Stuart Bloom"
    ),
    "backtothefuture.character": (
        "Marty McFly, Dr. Emmett Brown, Biff Tannen, Lorraine Baines, George McFly, Jennifer "
        "Parker, Einstein"
    ),
    "witcher.character": "Geralt of Rivia, Yennefer, Ciri, Triss Merigold, Dandelion, Vesemir",
    "zelda.character": "Link, Zelda, Ganondorf, Impa, Navi, Midna, Malon, Saria, Tingle",
    "zelda.game": (
        "Ocarina of Time, Majora's Mask, The Wind Waker, Twilight Princess, Skyward Sword, "
        "Breath of the Wild"
    ),
    "greekphilosopher.name": (
        "Socrates, Plato, Aristotle, Thales of Miletus, Anaximander, Pythagoras, Heraclitus, "
        "Parmenides, Democritus, Epicurus, Zeno of Citium, Plotinus"
    ),
    "ancient.god": (
        "Aphrodite, Apollo, Ares, Artemis, Athena, Demeter, Dionysus, Hades, Hera, Hermes, "
        "Poseidon, Zeus"
    ),
    "ancient.hero": "Abderus, Achilles, Aeneas, Ajax, Hector, Heracles, Jason, Odysseus, Theseus",
    "ancient.titan": "Atlas, Coeus, Cronus, Hyperion, Mnemosyne, Oceanus, Prometheus, Rhea, Themis",
    "beer.name": (
        "Weihenstephaner Hefeweissbier, Pliny The Elder, Duvel, Orval, Chimay Bleue, Pilsner "
        "Urquell, Guinness, Sierra Nevada Pale Ale, Rochefort 10, Westmalle Tripel, Samuel "
        "Smith's Oatmeal Stout, Augustiner Hell, Schneider Aventinus, Heady Topper"
    ),
    "beer.style": (
        "Amber Ale, Belgian Tripel, Bock, German Wheat, India Pale Ale, Lambic, Pilsner, "
        "Porter, Saison, Stout"
    ),
    "beer.hop": (
        "Amarillo, Cascade, Centennial, Chinook, Citra, Fuggle, Galaxy, Mosaic, Simcoe, Saaz"
    ),
    "beer.malt": "Black malt, Caramel, Carapils, Chocolate, Munich, Pale, Rye malt, Vienna, Wheat",
    "beer.yeast": (
        "1007 - German Ale, 1056 - American Ale, 1214 - Belgian Abbey, 3068 - Weihenstephan"
    ),
    "coffee.blendname": (
        "Blue Sunrise, Captain's Cup, Cascara Coffee, Green Forrester, Holiday Mug, KrebStar "
        "Blend, Morning Star, Summer Solstice, Wake-up Treat"
    ),
    "coffee.country": "Brazil, Colombia, Costa Rica, Ethiopia, Guatemala, Honduras, India, Kenya",
    "coffee.variety": "Bourbon, Caturra, Gesha, Heirloom, Java, Mundo Novo, Pacas, SL-28, Typica",
    "tea.type": "Black, Green, Herbal, Oolong, White",
    "weather.description": (
        "Sunny, Partly cloudy, Cloudy, Overcast, Light rain, Rain, Heavy rain, Thunderstorm, "
        "Snow, Fog, Windy"
    ),
    "team.sport": "baseball, basketball, football, hockey, rugby, lacrosse, soccer",
    "team.creature": "ants, bats, bears, bees, birds, buffalo, cats, dolphins, dragons, eagles",
    "team.name": "Texas Tigers, Ohio Owls, Maine Dragons, Utah Bears, Nevada Foxes, Iowa Lions",
    "esports.game": "CS:GO, Dota 2, Hearthstone, League of Legends, Overwatch, Rocket League",
    "esports.team": "Cloud9, Evil Geniuses, Fnatic, G2, NaVi, Team Liquid, Virtus.pro",
    "esports.player": "Dendi, Faker, Flash, Jaedong, KuroKy, Puppey, s1mple, SumaiL",
    "esports.league": "ESL, IEM, LCS, MLG, OGN, The International",
    "esports.event": "DreamHack, ESL Cologne, Intel Extreme Masters, PGL Major, The International",
    "programminglanguage.name": (
        "C, C++, Go, Haskell, Java, JavaScript, Kotlin, Python, Rust, Scala"
    ),
    "programminglanguage.creator": (
        "Brian Kernighan, Bjarne Stroustrup, Guido van Rossum, James Gosling, John McCarthy, "
        "Dennis Ritchie, Yukihiro Matsumoto"
    ),
    "science.element": (
        "Hydrogen, Helium, Carbon, Nitrogen, Oxygen, Neon, Sodium, Iron, Copper, Silver, Gold"
    ),
    "science.scientist": (
        "Isaac Newton, Albert Einstein, Marie Curie, Charles Darwin, Niels Bohr, Galileo "
        "Galilei, Ada Lovelace, Alan Turing, Emmy Noether, Richard Feynman"
    ),
    "music.instrument": (
        "Acoustic Guitar, Bass Guitar, Cello, Clarinet, Drums, Electric Guitar, Flute, "
        "Harmonica, Organ, Piano, Saxophone, Trombone, Trumpet, Ukulele, Viola, Violin"
    ),
    "music.key": "A, Ab, B, Bb, C, D, Db, E, Eb, F, Gb, G",
    "aviation.aircraft": (
        "A310, A319, A320, A330, A340, A350, A380, B737, B747, B757, B767, B777, B787, CRJ200, "
        "E190, F-16, Mig-29, Su-27"
    ),
    "aviation.airport": (
        "EDDF, EDDM, EGLL, EHAM, KATL, KJFK, KLAX, KORD, KSFO, LEMD, LFPG, LIRF, LOWW, LSZH, "
        "RJTT, UKBB, WSSS, YSSY, ZBAA, KDEN"
    ),
    "aviation.airline": (
        "Air France, British Airways, Delta, Emirates, Iberia, KLM, Lufthansa, Qantas, Ryanair, "
        "Singapore Airlines, SWISS, United Airlines"
    ),
    "job.field": (
        "Marketing, IT, Accounting, Administration, Advertising, Banking, Construction, "
        "Consulting, Design, Education, Farming, Government, Healthcare, Hospitality, Legal, "
        "Manufacturing, Mining, Real-Estate, Retail, Sales, Technology"
    ),
    "job.seniority": (
        "Lead, Senior, Direct, Corporate, Dynamic, Future, Product, National, Regional"
    ),
    "job.position": (
        "Supervisor, Associate, Executive, Liaison, Officer, Manager, Engineer, Specialist, "
        "Director, Coordinator, Administrator, Architect, Analyst, Designer, Planner"
    ),
    "job.keyskills": (
        "Teamwork, Leadership, Communication, Problem solver, Self-motivated, Organisation, "
        "Networking skills, Fast learner, Work under pressure"
    ),
    "educator.course": (
        "Bachelor of Arts, Bachelor of Science, Master of Arts, Master of Science, Doctor of "
        "Philosophy"
    ),
    "educator.university": "Northern Falls University, Marblewald College, Larkspur University",
    "university.name": (
        "Northern Falls University, Marblewald College, Larkspur University, East Virginia "
        "College, The Ohio Academy"
    ),
    "subscription.plan": (
        "Basic, Bronze, Business, Essential, Free Trial, Gold, Premium, Silver, Standard, Student"
    ),
    "subscription.status": "Active, Blocked, Idle, Pending",
    "subscription.paymentmethod": (
        "Apple Pay, Bitcoins, Cash, Cheque, Credit card, Debit card, Google Pay, Money "
        "transfer, PayPal, Visa checkout"
    ),
    "subscription.subscriptionterm": "Annual, Biennal, Daily, Lifetime, Monthly, Weekly",
    "subscription.paymentterm": "Annual, Full subscription, Monthly, Payment in advance",
    "device.manufacturer": (
        "Apple, Asus, Google, Huawei, LG, Motorola, Nokia, OnePlus, Samsung, Sony, Xiaomi"
    ),
    "device.platform": "Android OS, BlackBerry OS, iOS, Windows Phone",
    "device.modelname": (
        "Galaxy S21, iPhone 12, iPhone 13, iPhone SE, Nexus 5X, P30, Pixel 6, Redmi Note 10, "
        "Xperia 5"
    ),
    "app.name": (
        "Redhold, Treeflex, Trippledex, Kanlam, Bigtax, Daltfresh, Toughjoyfax, Mat Lam Tam, "
        "Otcom, Tres-Zap, Y-Solowarm, Tresom, Voltsillam, Biodex, Greenlam, Viva, Temp, Subin"
    ),
    "stock.nsdqsymbol": (
        "AAPL, ADBE, AMD, AMZN, CSCO, GOOG, INTC, META, MSFT, NFLX, NVDA, PYPL, TSLA"
    ),
    "stock.nysesymbol": "BA, BAC, C, DIS, F, GE, IBM, JNJ, JPM, KO, MCD, NKE, PFE, T, V, WMT, XOM",
    "nation.nationality": (
        "Americans, Austrians, Brazilians, Canadians, Danes, Egyptians, French, Germans, "
        "Greeks, Indians, Irish, Italians, Japanese, Kenyans, Mexicans, Poles, Spaniards"
    ),
    "nation.language": (
        "Arabic, Bengali, Chinese, Dutch, English, French, German, Greek, Hindi, Italian, "
        "Japanese, Korean, Polish, Portuguese, Russian, Spanish, Swahili, Turkish"
    ),
    "demographic.sex": "Female, Male",
    "demographic.maritalstatus": "Divorced, Married, Never married, Separated, Widowed",
    "demographic.educationalattainment": (
        "No schooling completed, High school diploma, Associate's degree, Bachelor's degree, "
        "Master's degree, Professional degree, Doctorate degree"
    ),
    "medical.medicinename": (
        "Amoxicillin, Aspirin, Atorvastatin, Ibuprofen, Insulin, Lisinopril, Metformin, "
        "Omeprazole, Paracetamol, Penicillin, Salbutamol, Simvastatin"
    ),
    "medical.diseasename": (
        "Asthma, Bronchitis, Diabetes, Hepatitis, Influenza, Malaria, Measles, Migraine, "
        "Pneumonia, Tuberculosis"
    ),
    "medical.symptoms": (
        "Back pain, Chest pain, Cough, Dizziness, Fatigue, Fever, Headache, Nausea, Sore "
        "throat, Vomiting"
    ),
    "medical.hospitalname": (
        "General Hospital, Memorial Hospital, St. Mary's Hospital, University Hospital, "
        "Children's Hospital"
    ),
    "camera.brand": "Canon, Fujifilm, Leica, Nikon, Olympus, Panasonic, Pentax, Sony",
    "chuck.norris": (
        "Chuck Norris can write infinite recursion functions and have them return., Chuck "
        "Norris can divide by zero."
    ),
}


def texts(name: str) -> list[str]:
    """The texts of one row."""
    row = FICTION[name]
    return texts(row[1:]) if row.startswith("=") else [text.strip() for text in row.split(",")]
