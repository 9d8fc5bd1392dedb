"""The everyday things that the world can make, and the words people use for them."""

# ruff: noqa: E501  (one concept, one line of the table)
from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Concept:
    """One kind of thing.

    name: what the world's functions are asked for; synonyms: other words for the same thing,
    nearest first; hypernyms: what it is a kind of, nearest first
    sounds: words for the noise it makes, empty for a thing that the world gives no sound
    place: where one sees it, as the end of a sentence
    """

    name: str
    synonyms: tuple[str, ...]
    hypernyms: tuple[str, ...]
    sounds: tuple[str, ...]
    place: str

    @property
    def sounding(self) -> bool:
        """Whether make_sound knows it."""
        return bool(self.sounds)


# name | synonyms | hypernyms | words for its sound | place
_TABLE = """
dog       | puppy, hound, doggy | pet, mammal, animal | barking, bark, woof | in the yard
cat       | kitten, kitty, pussycat | pet, mammal, animal | meowing, meow, purr | on the carpet
cow       | bull, ox, cattle | farm animal, livestock, mammal, animal | mooing, moo | in the meadow
horse     | pony, stallion, mare, foal | farm animal, mammal, animal | neighing, neigh, gallop | in the paddock
sheep     | lamb, ewe, ram | farm animal, livestock, mammal, animal | bleating, baa | on the hill
pig       | piglet, hog, swine | farm animal, livestock, mammal, animal | grunting, oink, squeal | in the sty
chicken   | hen, rooster, cock | poultry, farm animal, bird, animal | clucking, cluck, crow | in the farmyard
duck      | duckling, mallard, drake | waterfowl, poultry, bird, animal | quacking, quack | on the pond
bird      | songbird, sparrow, canary | flying animal, animal | singing, chirp, tweet | on a branch
owl       | night owl | bird of prey, bird, animal | hooting, hoot | in the dark forest
penguin   | emperor penguin | seabird, bird, animal | braying, honk | on the ice
fish      | goldfish, carp, tropical fish | sea animal, animal | | in the aquarium
shark     | great white shark | predator, fish, sea animal, animal | | in deep water
whale     | humpback whale, blue whale | marine mammal, sea animal, animal | whale song, call | in the ocean
snake     | serpent, cobra, viper | reptile, animal | hissing, hiss, rattle | in the sand
frog      | toad, tree frog | amphibian, animal | croaking, croak, ribbit | by the pond
bee       | honeybee, bumblebee | insect, bug, animal | buzzing, buzz, hum | among the flowers
butterfly | moth | insect, bug, animal | | in the garden
snail     | slug | mollusc, animal | | on a leaf
turtle    | tortoise | reptile, animal | | on the beach
mouse     | rat, field mouse | rodent, mammal, animal | squeaking, squeak | in its hole
rabbit    | bunny, hare | pet, mammal, animal | | in the grass
elephant  | tusker, mammoth | wild animal, mammal, animal | trumpeting, trumpet call | in the savanna
lion      | big cat, lioness, tiger | predator, wild animal, mammal, animal | roaring, roar, growl | in the savanna
giraffe   | tall giraffe | wild animal, mammal, animal | | in the savanna
car       | automobile, sedan, motor car | motor vehicle, vehicle | engine, horn, driving | on the road
bus       | coach, minibus, omnibus | public transport, motor vehicle, vehicle | diesel engine, air brake | at the bus stop
truck     | lorry, pickup truck, delivery truck | motor vehicle, vehicle | truck engine, reversing beep | on the highway
train     | locomotive, steam train, railway | public transport, vehicle | chugging, train whistle | at the station
bicycle   | bike, cycle, push bike | two-wheeler, vehicle | bicycle bell, ring ring | on the path
motorcycle | motorbike, motor bike, scooter | two-wheeler, motor vehicle, vehicle | revving, exhaust | on the road
airplane  | plane, aeroplane, jet, aircraft | flying machine, vehicle | jet engine, flyby | in the sky
helicopter | chopper, copter | flying machine, aircraft, vehicle | rotor, chopping blades | above the city
sailboat  | boat, sailing boat, yacht, dinghy | watercraft, vessel, vehicle | waves, splashing water | on the lake
ship      | cruise ship, steamer, ferry | watercraft, vessel, vehicle | ship horn, foghorn | in the harbour
rocket    | spaceship, spacecraft, space rocket | flying machine, vehicle | launch, lift-off roar | on the launch pad
tractor   | farm tractor | farm machine, motor vehicle, vehicle | puttering engine, idling | on the field
chair     | wooden chair, dining chair, seat | seat, furniture | | at the table
stool     | bar stool, footstool | seat, furniture | | at the counter
bench     | park bench, wooden bench | seat, furniture | | in the park
sofa      | couch, settee, armchair | seat, furniture | | in the living room
table     | dining table, wooden table, round table | furniture | | in the kitchen
desk      | writing desk, office desk | table, furniture | | in the office
bed       | double bed, single bed | furniture | | in the bedroom
shelf     | bookshelf, bookcase, shelves | furniture, storage | | against the wall
cupboard  | wardrobe, cabinet, closet | furniture, storage | | in the hallway
door      | wooden door, front door, gate | part of a house, entrance | knocking, creak, slam | in the hallway
toilet    | lavatory, water closet, loo | bathroom fixture, sanitary ware | flushing, flush | in the bathroom
bathtub   | bath, tub | bathroom fixture, sanitary ware | running water, filling the tub | in the bathroom
refrigerator | fridge, freezer | kitchen appliance, appliance | humming, hum | in the kitchen
lamp      | table lamp, desk lamp, floor lamp | light, furnishing | | beside the bed
candle    | wax candle, tea light | light, household item | | on the cake
cup       | mug, coffee cup, teacup | tableware, household item | | on the saucer
bottle    | glass bottle, wine bottle, water bottle | container, household item | cork pop, pouring, glug | on the shelf
kettle    | teapot, tea kettle | kitchenware, household item | whistling, boiling water | on the stove
clock     | wall clock, alarm clock, timepiece | device, household item | ticking, tick tock | on the wall
bell      | hand bell, church bell, doorbell | instrument, signal | ringing, ding dong | in the tower
telephone | phone, old telephone, dial phone | device, electronics | phone ringing, ringtone | on the desk
television | TV, tv set, telly | device, electronics | static, white noise | in the living room
laptop    | notebook computer, computer, pc | device, electronics | typing, keyboard clicks | on the desk
camera    | photo camera | device, electronics | shutter click, snapshot | on a tripod
umbrella  | parasol, sunshade, brolly | accessory, household item | rain, rain drops, patter | in the rain
hammer    | claw hammer, mallet | tool | hammering, nail, knock | in the toolbox
scissors  | shears, pair of scissors | tool | snipping, snip | in the drawer
saw       | hand saw, carpentry saw | tool | sawing wood, sawing | in the workshop
axe       | hatchet, ax | tool, weapon | chopping wood, chop | by the wood pile
fan       | table fan, electric fan, ventilator | appliance, household item | whirring, blowing air | by the window
key       | door key, old key | household item, metal thing | jingling, jingle | in the lock
drum      | snare drum, bass drum, drums | percussion, musical instrument | drumming, drum beat | on the stage
guitar    | acoustic guitar, electric guitar | string instrument, musical instrument | strumming, guitar chord | on the stage
piano     | grand piano, upright piano | keyboard instrument, musical instrument | piano notes, melody | in the concert hall
violin    | fiddle | string instrument, musical instrument | bowed string, fiddle tune | in the orchestra
trumpet   | horn, cornet | brass instrument, musical instrument | fanfare, brass notes | in the band
tree      | oak, deciduous tree, leafy tree | plant | rustling leaves, wind in leaves | in the park
pine tree | fir, evergreen tree, christmas tree, conifer | tree, plant | | in the forest
palm tree | palm, coconut palm | tree, plant | | on the beach
flower    | blossom, tulip, daisy, rose | plant | | in the garden
cactus    | saguaro, prickly cactus | plant | | in the desert
mushroom  | toadstool, fungus | fungus, food | | in the forest
apple     | red apple, green apple | fruit, food | biting, crunch | in the basket
banana    | ripe banana | fruit, food | | in the bowl
pumpkin   | jack-o-lantern, squash | vegetable, food | | at halloween
carrot    | orange carrot | vegetable, food | | in the salad
watermelon | slice of melon, melon | fruit, food | | at the picnic
ice cream | ice cream cone, gelato, soft ice cream | dessert, food | | in summer
cake      | birthday cake, cupcake, tart | dessert, food | | at the party
hamburger | burger, cheeseburger, sandwich | fast food, food | | on the plate
campfire  | fire, bonfire, flames | fire, light | crackling, fire crackle | at the camp
storm cloud | thunderstorm, cloud with lightning, thunder cloud | weather, sky | thunder, rumble | above the hills
house     | home, cottage, hut | building | | in the village
church    | chapel, cathedral | building | church bells, tolling bell | in the village
castle    | fortress, palace | building | | on the hill
windmill  | mill, wind mill | building | creaking sails, wind | in the fields
lighthouse | beacon | tower, building | foghorn, sea surf | on the cliff
skyscraper | office building, high-rise, tower block | tower, building | | downtown
tent      | camping tent | shelter | | at the camp
sword     | blade, katana, dagger | weapon | clashing blades, clang | in its sheath
gun       | pistol, revolver, handgun | weapon | gunshot, shot, bang | in the holster
bomb      | explosive | weapon | explosion, blast, boom | with a burning fuse
ball      | football, soccer ball, basketball | toy, sports equipment | bouncing, bounce | on the pitch
balloon   | party balloon, air balloon | toy, decoration | pop, bursting | at the party
star      | golden star | shape, symbol | | in the night sky
heart     | red heart, love heart | shape, symbol | heartbeat, beating | on a card
snowman   | man of snow | figure, toy | | in winter
robot     | android, toy robot, mech | machine, figure, toy | beeping, robot beeps | in the laboratory
traffic light | stop light, traffic signal | signal, street furniture | | at the crossing
crown     | king's crown, golden crown | headwear, accessory | | on the king's head
barrel    | wooden barrel, cask, keg | container | | in the cellar
"""


def _split(words: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in words.split(",") if word.strip())


def _read(line: str) -> Concept:
    name, synonyms, hypernyms, sounds, place = (cell.strip() for cell in line.split("|"))
    return Concept(name, _split(synonyms), _split(hypernyms), _split(sounds), place)


CONCEPTS: dict[str, Concept] = {
    concept.name: concept for concept in map(_read, _TABLE.strip().splitlines())
}

#: The names of the concepts that make_sound knows.
SOUNDING: tuple[str, ...] = tuple(name for name, concept in CONCEPTS.items() if concept.sounding)
