package demo

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/dragoman-im/dragoman/transports/discord/fake"
)

// discordNetwork is the guild Chess club on the fake Discord server.
type discordNetwork struct {
	server      *fake.Server
	clock       *adjustableClock
	tracer      *tracer
	bot, second *fake.Bot // whose token the tour links, and that of the second login
	users       map[*user]fake.ID
	peers       map[fake.ID]*user // of direct conversations: the simulated user

	mu   sync.Mutex
	sent map[string]string // the gateway's messages and the channels that they are in
}

// startDiscord starts the fake server and makes the guild.
func startDiscord(t *tracer) (*discordNetwork, *network, error) {
	d := &discordNetwork{
		clock: &adjustableClock{}, tracer: t, users: map[*user]fake.ID{}, peers: map[fake.ID]*user{}, sent: map[string]string{},
	}
	d.clock.setBack(historyInterval * 100)
	d.server = fake.New(fake.Options{Now: d.clock.now, Checker: discordTracer{d}})
	if err := d.server.Start(); err != nil {
		return nil, nil, fmt.Errorf("start the fake Discord server: %w", err)
	}
	n := &network{
		kind: "discord", name: "Discord", apiURL: d.server.URL() + "/api/", group: "Chess club", users: discordUsers, names: d, actions: d, observer: d,
	}
	d.addGuild(n)
	if err := writeHistory(n, d.clock, discordHistory); err != nil {
		_ = d.close() // err says why
		return nil, nil, fmt.Errorf("make the guild: %w", err)
	}
	for u, id := range d.users {
		d.server.SetPresence(id, "online", u.title)
	}
	return d, n, nil
}

func (d *discordNetwork) addGuild(n *network) {
	for _, u := range n.users {
		d.users[u] = d.server.AddUser(fake.User{Name: u.handle, Display: u.name, Avatar: true})
	}
	guild := d.server.AddGuild(n.group, d.users[n.users[0]])
	for _, u := range n.users[1:] {
		d.server.AddMember(guild, d.users[u])
	}
	for _, c := range []fake.Channel{
		{Name: "lobby", Topic: "Where new members introduce themselves"},
		{Name: "openings", Topic: "1. e4 and what follows"},
		{Name: "tournaments", Topic: "Pairings and dates"},
	} {
		n.channels = append(n.channels, conversation{id: string(d.server.AddChannel(guild, c)), name: "#" + c.Name})
	}
	d.bot = d.server.AddBot(fake.App{Name: "Dragoman", Allowed: fake.PrivilegedIntents})
	d.second = d.server.AddBot(fake.App{Name: "Dragoman Two", Allowed: fake.PrivilegedIntents})
	for _, b := range []*fake.Bot{d.bot, d.second} {
		b.Install(guild, fake.BridgePermissions)
		for u, id := range d.users {
			d.peers[d.server.DM(id, b.ID())] = u
		}
	}
	n.credentials = []credential{{"Bot token", d.bot.Token()}}
	n.spareCredentials = []credential{{"Bot token", d.second.Token()}}
}

func (d *discordNetwork) close() error { return d.server.Close() }

func (d *discordNetwork) userAddress(u *user) string { return string(d.users[u]) }

func (d *discordNetwork) roomAddress(c conversation) string { return c.id }

func (d *discordNetwork) roomName(room string) (string, bool) {
	if u := d.peers[fake.ID(room)]; u != nil {
		return u.name, true
	}
	c, ok := d.server.Channel(fake.ID(room))
	return "#" + c.Name, ok
}

func (d *discordNetwork) conversationName(id string) string {
	name, _ := d.roomName(id)
	return name
}

func (d *discordNetwork) userOf(id fake.ID) *user {
	i := slices.IndexFunc(discordUsers, func(u *user) bool { return d.users[u] == id })
	if i < 0 {
		return nil
	}
	return discordUsers[i]
}

func (d *discordNetwork) send(u *user, in conversation, text string) (messageRef, error) {
	id, err := d.server.Say(fake.ID(in.id), d.users[u], text)
	return messageRef{in, string(id)}, err
}

func (d *discordNetwork) edit(u *user, m messageRef, text string) error {
	return d.server.Edit(fake.ID(m.conversation.id), fake.ID(m.id), d.users[u], text)
}

func (d *discordNetwork) remove(u *user, m messageRef) error {
	return d.server.Delete(fake.ID(m.conversation.id), fake.ID(m.id), d.users[u])
}

func (d *discordNetwork) react(u *user, m messageRef, with emoji) error {
	return d.server.React(fake.ID(m.conversation.id), fake.ID(m.id), d.users[u], with.char)
}

func (d *discordNetwork) typing(u *user, in conversation) {
	d.server.Typing(fake.ID(in.id), d.users[u])
}

func (d *discordNetwork) direct(u *user) conversation {
	return conversation{id: string(d.server.DM(d.users[u], d.bot.ID())), name: u.name, direct: true}
}

func (d *discordNetwork) onMessage(f func(incoming)) {
	d.server.OnMessage(func(m fake.Message) {
		if m.System || d.userOf(m.Author) != nil {
			return
		}
		in := incoming{author: m.Name, text: m.Text, to: d.peers[m.Channel]}
		in.messageRef = messageRef{conversation{id: string(m.Channel), name: d.conversationName(string(m.Channel)), direct: m.Guild == ""}, string(m.ID)}
		f(in)
	})
}

// transcriptPoll is how often the messages of a conversation are compared.
const transcriptPoll = 20 * time.Millisecond

func (d *discordNetwork) awaitTranscript(ctx context.Context, in conversation, ok func([]string) bool) bool {
	tick := time.NewTicker(transcriptPoll)
	defer tick.Stop()
	for {
		var lines []string
		for _, m := range d.server.Transcript(fake.ID(in.id)) {
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
