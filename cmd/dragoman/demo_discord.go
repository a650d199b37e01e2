package main

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/dragoman-im/dragoman/transports/discord/fake"
)

// discordTown is the guild Chess club on the stand-in for Discord.
type discordTown struct {
	server    *fake.Server
	clock     *worldClock
	tracer    *tracer
	bot, next *fake.Bot // whose tokens are to be linked, and that of the second account
	channels  []place
	users     map[*person]fake.ID
	direction map[fake.ID]*person // of conversations: who of the people they are with

	mu   sync.Mutex
	made map[string]string // the gateway's messages and the channels that they are in
}

// newDiscordTown makes the guild and starts the stand-in.
func newDiscordTown(t *tracer) (*discordTown, error) {
	d := &discordTown{
		clock: &worldClock{}, tracer: t, users: map[*person]fake.ID{}, direction: map[fake.ID]*person{}, made: map[string]string{},
	}
	d.clock.ago(between * 100)
	d.server = fake.New(fake.Options{Now: d.clock.now, Checker: discordWatch{d}})
	if err := d.server.Start(); err != nil {
		return nil, fmt.Errorf("start the stand-in for Discord: %w", err)
	}
	for _, p := range discordPeople {
		d.users[p] = d.server.AddUser(fake.User{Name: p.handle, Display: p.name, Avatar: true})
	}
	guild := d.server.AddGuild("Chess club", d.users[discordPeople[0]])
	for _, p := range discordPeople[1:] {
		d.server.AddMember(guild, d.users[p])
	}
	for _, c := range []fake.Channel{
		{Name: "lobby", Topic: "Come in, sit down, set up the pieces"},
		{Name: "openings", Topic: "1. e4 and all that"},
		{Name: "tournaments", Topic: "Who plays whom, and who brings the clocks"},
	} {
		d.channels = append(d.channels, place{id: string(d.server.AddChannel(guild, c)), name: "#" + c.Name})
	}
	d.bot = d.server.AddBot(fake.App{Name: "Dragoman", Allowed: fake.PrivilegedIntents})
	d.next = d.server.AddBot(fake.App{Name: "Dragoman the Second", Allowed: fake.PrivilegedIntents})
	for _, b := range []*fake.Bot{d.bot, d.next} {
		b.Install(guild, fake.BridgePermissions)
		for p, id := range d.users {
			d.direction[d.server.DM(id, b.ID())] = p
		}
	}
	if err := recall(d, d.clock, discordHistory); err != nil {
		_ = d.close() // err says why
		return nil, fmt.Errorf("make the guild: %w", err)
	}
	for p, id := range d.users {
		d.server.SetPresence(id, "online", p.title)
	}
	return d, nil
}

func (d *discordTown) close() error      { return d.server.Close() }
func (d *discordTown) kind() string      { return "discord" }
func (d *discordTown) name() string      { return "Discord" }
func (d *discordTown) apiURL() string    { return d.server.URL() + "/api/" }
func (d *discordTown) places() []place   { return d.channels }
func (d *discordTown) people() []*person { return discordPeople }
func (d *discordTown) group() string     { return "Chess club" }

func (d *discordTown) tokens(second bool) []credential {
	bot := d.bot
	if second {
		bot = d.next
	}
	return []credential{{"Bot token", bot.Token()}}
}

func (d *discordTown) address(p *person) string { return string(d.users[p]) }

func (d *discordTown) roomAddress(p place) string { return p.id }

func (d *discordTown) roomName(room string) (string, bool) {
	if p := d.direction[fake.ID(room)]; p != nil {
		return p.name, true
	}
	c, ok := d.server.Channel(fake.ID(room))
	return "#" + c.Name, ok
}

func (d *discordTown) placeName(id string) string {
	name, _ := d.roomName(id)
	return name
}

func (d *discordTown) personOf(user fake.ID) *person {
	i := slices.IndexFunc(discordPeople, func(p *person) bool { return d.users[p] == user })
	if i < 0 {
		return nil
	}
	return discordPeople[i]
}

func (d *discordTown) say(p *person, where place, text string) (note, error) {
	id, err := d.server.Say(fake.ID(where.id), d.users[p], text)
	return note{where, string(id)}, err
}

func (d *discordTown) edit(p *person, n note, text string) error {
	return d.server.Edit(fake.ID(n.place.id), fake.ID(n.id), d.users[p], text)
}

func (d *discordTown) remove(p *person, n note) error {
	return d.server.Delete(fake.ID(n.place.id), fake.ID(n.id), d.users[p])
}

func (d *discordTown) react(p *person, n note, with emoji) error {
	return d.server.React(fake.ID(n.place.id), fake.ID(n.id), d.users[p], with.char)
}

func (d *discordTown) typing(p *person, where place) { d.server.Typing(fake.ID(where.id), d.users[p]) }

func (d *discordTown) direct(p *person) place {
	return place{id: string(d.server.DM(d.users[p], d.bot.ID())), name: p.name, direct: true}
}

func (d *discordTown) listen(f func(heard)) {
	d.server.OnMessage(func(m fake.Message) {
		if m.System || d.personOf(m.Author) != nil {
			return
		}
		h := heard{by: m.Name, text: m.Text, to: d.direction[m.Channel]}
		h.note = note{place{id: string(m.Channel), name: d.placeName(string(m.Channel)), direct: m.Guild == ""}, string(m.ID)}
		f(h)
	})
}

// lookEvery is how often a place is looked at where nothing tells of a change.
const lookEvery = 20 * time.Millisecond

func (d *discordTown) await(ctx context.Context, where place, ok func([]string) bool) bool {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		var lines []string
		for _, m := range d.server.Transcript(fake.ID(where.id)) {
			lines = append(lines, m.Name+": "+m.Text)
		}
		if ok(lines) {
			return true
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return false
		}
	}
}
