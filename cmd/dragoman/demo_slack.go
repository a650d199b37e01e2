package main

import (
	"context"
	"errors"
	"fmt"
	"html"
	"slices"
	"strings"
	"sync"

	"github.com/dragoman-im/dragoman/transports/slack/fake"
)

// slackTown is the workspace Acme on the stand-in for Slack.
type slackTown struct {
	server    *fake.Server
	clock     *worldClock
	tracer    *tracer
	workspace *fake.Workspace
	you, next *fake.User // whose tokens are to be linked, and those of the second account
	app       *fake.App
	install   *fake.Install
	tokenOf   map[*fake.User]string
	channels  []place
	users     map[*person]*fake.User

	mu     sync.Mutex
	frames map[string]slackFrame // that were shown and wait for their acknowledgement, by envelope
}

// newSlackTown makes the workspace and starts the stand-in.
func newSlackTown(t *tracer) (*slackTown, error) {
	s := &slackTown{
		clock: &worldClock{}, tracer: t, tokenOf: map[*fake.User]string{}, users: map[*person]*fake.User{}, frames: map[string]slackFrame{},
	}
	s.clock.ago(between * 100)
	s.server = fake.New(fake.Options{Check: s.watch, Now: s.clock.now})
	if err := s.server.Start(); err != nil {
		return nil, fmt.Errorf("start the stand-in for Slack: %w", err)
	}
	w := s.server.AddWorkspace("Acme", "acme")
	s.workspace = w
	var all []*fake.User
	for _, p := range slackPeople {
		s.users[p] = w.AddUser(fake.Person{Name: p.handle, RealName: p.name, DisplayName: p.name, Title: p.title, TZ: "Europe/Berlin"})
		all = append(all, s.users[p])
	}
	s.you = w.AddUser(fake.Person{Name: "robin", RealName: "Robin Adler", DisplayName: "Robin"})
	s.next = w.AddUser(fake.Person{Name: "kim", RealName: "Kim Novak", DisplayName: "Kim"})
	everybody := append(slices.Clone(all), s.you, s.next)
	for _, r := range []fake.Room{
		{Name: "general", General: true, Topic: "All of Acme", Members: everybody},
		{Name: "kitchen", Topic: "Coffee, cake and lost lunch boxes", Members: everybody},
		{Name: "launch", Private: true, Topic: "Ssh! The thing in autumn", Members: []*fake.User{all[0], all[1], s.you}},
	} {
		c := w.AddChannel(r)
		s.channels = append(s.channels, place{id: c.ID, name: "#" + r.Name})
	}
	err := recall(s, s.clock, slackHistory)
	s.addApp()
	if err == nil {
		err = errors.Join(s.server.Complaints()...)
	}
	if err != nil {
		s.close()
		return nil, fmt.Errorf("make the workspace: %w", err)
	}
	return s, nil
}

// addApp installs the app and gives out its tokens. What was said before is nothing that it is told of.
func (s *slackTown) addApp() {
	s.app = s.server.AddApp(fake.AppSpec{Name: "Dragoman"})
	s.install = s.app.Install(s.workspace)
	for i, p := range s.channels[:2] {
		s.users[slackPeople[i]].Invite(s.workspace.ChannelByID(p.id), s.install.Bot)
	}
	for _, u := range []*fake.User{s.you, s.next} {
		s.tokenOf[u] = s.app.Link(u)
	}
}

func (s *slackTown) close()            { s.server.Close() }
func (s *slackTown) kind() string      { return "slack" }
func (s *slackTown) name() string      { return "Slack" }
func (s *slackTown) apiURL() string    { return s.server.APIURL() }
func (s *slackTown) places() []place   { return s.channels }
func (s *slackTown) people() []*person { return slackPeople }
func (s *slackTown) group() string     { return "Acme" }

func (s *slackTown) tokens(second bool) []credential {
	user := s.you
	if second {
		user = s.next
	}
	return []credential{{"xapp-", s.app.Token}, {"xoxb-", s.install.Token}, {"xoxp-", s.tokenOf[user]}}
}

func (s *slackTown) address(p *person) string { return s.bridgeID(s.users[p].ID) }

func (s *slackTown) roomAddress(p place) string { return s.bridgeID(p.id) }

// bridgeID is how the gateway names something of the workspace.
func (s *slackTown) bridgeID(id string) string { return strings.ToLower(s.workspace.ID + "-" + id) }

func (s *slackTown) roomName(room string) (string, bool) {
	id, ok := strings.CutPrefix(room, strings.ToLower(s.workspace.ID)+"-")
	if !ok {
		return "", false
	}
	return s.channelName(s.workspace.ChannelByID(strings.ToUpper(id))), true
}

// channelName is "#general", or the other one's name in a conversation.
func (s *slackTown) channelName(c *fake.Channel) string {
	switch {
	case c == nil:
		return ""
	case c.Name() != "":
		return "#" + c.Name()
	}
	if p := s.partner(c); p != nil {
		return p.name
	}
	return "a conversation"
}

// partner is who of the people a conversation is with.
func (s *slackTown) partner(c *fake.Channel) *person {
	for _, m := range c.Members() {
		if p := s.personOf(m); p != nil {
			return p
		}
	}
	return nil
}

func (s *slackTown) personOf(u *fake.User) *person {
	i := slices.IndexFunc(slackPeople, func(p *person) bool { return s.users[p] == u })
	if i < 0 {
		return nil
	}
	return slackPeople[i]
}

func (s *slackTown) say(p *person, where place, text string) (note, error) {
	m := s.users[p].Say(s.workspace.ChannelByID(where.id), text)
	if m.TS == "" {
		return note{}, fmt.Errorf("%s cannot write in %s", p.name, where.name)
	}
	return note{where, m.TS}, nil
}

// find is a message that is still there.
func (s *slackTown) find(n note) (m fake.Message, err error) {
	if c := s.workspace.ChannelByID(n.place.id); c != nil {
		m = c.Message(n.id)
	}
	if m.Channel == nil || m.Deleted {
		return m, errors.New("the message is gone")
	}
	return m, nil
}

func (s *slackTown) edit(p *person, n note, text string) error {
	m, err := s.find(n)
	if err == nil {
		s.users[p].Edit(m, text)
	}
	return err
}

func (s *slackTown) remove(p *person, n note) error {
	m, err := s.find(n)
	if err == nil {
		s.users[p].Delete(m)
	}
	return err
}

func (s *slackTown) react(p *person, n note, with emoji) error {
	m, err := s.find(n)
	if err == nil {
		s.users[p].React(m, with.name)
	}
	return err
}

// typing is something that Slack tells no app.
func (s *slackTown) typing(*person, place) {}

func (s *slackTown) direct(p *person) place {
	return place{id: s.users[p].DM(s.you).ID, name: p.name, direct: true}
}

func (s *slackTown) listen(f func(heard)) {
	s.server.OnMessage(func(m fake.Message) {
		if m.Subtype != "" && m.Subtype != "bot_message" || m.User != nil && s.personOf(m.User) != nil {
			return
		}
		h := heard{by: m.Name, text: spokenSlack(m.Text)}
		h.note = note{place{id: m.Channel.ID, name: s.channelName(m.Channel), direct: m.Channel.Name() == ""}, m.TS}
		if h.place.direct {
			h.to = s.partner(m.Channel)
		}
		f(h)
	})
}

func (s *slackTown) await(ctx context.Context, where place, ok func([]string) bool) bool {
	c := s.workspace.ChannelByID(where.id)
	return s.server.Await(ctx, func() bool { return ok(c.Lines()) })
}

// spokenSlack is what a person reads of a text as Slack has it on the wire.
func spokenSlack(text string) string { return html.UnescapeString(text) }
