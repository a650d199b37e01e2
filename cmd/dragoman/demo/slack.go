package demo

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

// slackNetwork is the workspace Acme on the fake Slack server.
type slackNetwork struct {
	server        *fake.Server
	clock         *adjustableClock
	tracer        *tracer
	workspace     *fake.Workspace
	login, second *fake.User // whose tokens the tour links, and those of the second login
	app           *fake.App
	install       *fake.Install
	users         map[*user]*fake.User

	mu     sync.Mutex
	events map[string]slackEvent // shown and not acknowledged yet, by envelope
}

// startSlack starts the fake server and makes the workspace.
func startSlack(t *tracer) (*slackNetwork, *network, error) {
	s := &slackNetwork{clock: &adjustableClock{}, tracer: t, users: map[*user]*fake.User{}, events: map[string]slackEvent{}}
	s.clock.setBack(historyInterval * 100)
	s.server = fake.New(fake.Options{Check: s.trace, Now: s.clock.now})
	if err := s.server.Start(); err != nil {
		return nil, nil, fmt.Errorf("start the fake Slack server: %w", err)
	}
	n := &network{
		kind: "slack", name: "Slack", apiURL: s.server.APIURL(), group: "Acme", users: slackUsers, names: s, actions: s, observer: s,
	}
	s.addWorkspace(n)
	err := writeHistory(n, s.clock, slackHistory)
	s.addApp(n)
	if err == nil {
		err = errors.Join(s.server.Complaints()...)
	}
	if err != nil {
		s.close()
		return nil, nil, fmt.Errorf("make the workspace: %w", err)
	}
	return s, n, nil
}

func (s *slackNetwork) addWorkspace(n *network) {
	s.workspace = s.server.AddWorkspace(n.group, "acme")
	var all []*fake.User
	for _, u := range n.users {
		s.users[u] = s.workspace.AddUser(fake.Person{Name: u.handle, RealName: u.name, DisplayName: u.name, Title: u.title, TZ: "Europe/Berlin", Avatar: portrait(u.name)})
		all = append(all, s.users[u])
	}
	s.login = s.workspace.AddUser(fake.Person{Name: "robin", RealName: "Robin Adler", DisplayName: "Robin"})
	s.second = s.workspace.AddUser(fake.Person{Name: "kim", RealName: "Kim Novak", DisplayName: "Kim"})
	everybody := append(slices.Clone(all), s.login, s.second)
	for _, r := range []fake.Room{
		{Name: "general", General: true, Topic: "All of Acme", Members: everybody},
		{Name: "kitchen", Topic: "Coffee, cake and lost lunch boxes", Members: everybody},
		{Name: "launch", Private: true, Topic: "Plans for the autumn", Members: []*fake.User{all[0], all[1], s.login}},
	} {
		c := s.workspace.AddChannel(r)
		n.channels = append(n.channels, conversation{id: c.ID, name: "#" + r.Name})
	}
}

// addApp installs the app and makes its tokens. Messages from before are not sent to it as events.
func (s *slackNetwork) addApp(n *network) {
	s.app = s.server.AddApp(fake.AppSpec{Name: "Dragoman"})
	s.install = s.app.Install(s.workspace)
	for i, c := range n.channels[:2] {
		s.users[n.users[i]].Invite(s.workspace.ChannelByID(c.id), s.install.Bot)
	}
	credentials := func(u *fake.User) []credential {
		return []credential{{"xapp-", s.app.Token}, {"xoxb-", s.install.Token}, {"xoxp-", s.app.Link(u)}}
	}
	n.credentials, n.spareCredentials = credentials(s.login), credentials(s.second)
}

func (s *slackNetwork) close() { s.server.Close() }

func (s *slackNetwork) userAddress(u *user) string { return s.bridgeID(s.users[u].ID) }

func (s *slackNetwork) roomAddress(c conversation) string { return s.bridgeID(c.id) }

// bridgeID is how the gateway names something of the workspace.
func (s *slackNetwork) bridgeID(id string) string { return strings.ToLower(s.workspace.ID + "-" + id) }

func (s *slackNetwork) roomName(room string) (string, bool) {
	id, ok := strings.CutPrefix(room, strings.ToLower(s.workspace.ID)+"-")
	if !ok {
		return "", false
	}
	return s.channelName(s.workspace.ChannelByID(strings.ToUpper(id))), true
}

// channelName is "#general", or the other user's name in a direct conversation.
func (s *slackNetwork) channelName(c *fake.Channel) string {
	switch {
	case c == nil:
		return ""
	case c.Name() != "":
		return "#" + c.Name()
	}
	if u := s.peer(c); u != nil {
		return u.name
	}
	return "a direct conversation"
}

// peer is the simulated user in a direct conversation.
func (s *slackNetwork) peer(c *fake.Channel) *user {
	for _, m := range c.Members() {
		if u := s.userOf(m); u != nil {
			return u
		}
	}
	return nil
}

func (s *slackNetwork) userOf(member *fake.User) *user {
	i := slices.IndexFunc(slackUsers, func(u *user) bool { return s.users[u] == member })
	if i < 0 {
		return nil
	}
	return slackUsers[i]
}

func (s *slackNetwork) send(u *user, in conversation, text string) (messageRef, error) {
	m := s.users[u].Say(s.workspace.ChannelByID(in.id), text)
	if m.TS == "" {
		return messageRef{}, fmt.Errorf("%s cannot write in %s", u.name, in.name)
	}
	return messageRef{in, m.TS}, nil
}

// find is a message that is not deleted.
func (s *slackNetwork) find(ref messageRef) (m fake.Message, err error) {
	if c := s.workspace.ChannelByID(ref.conversation.id); c != nil {
		m = c.Message(ref.id)
	}
	if m.Channel == nil || m.Deleted {
		return m, errors.New("the message is deleted")
	}
	return m, nil
}

func (s *slackNetwork) edit(u *user, ref messageRef, text string) error {
	m, err := s.find(ref)
	if err == nil {
		s.users[u].Edit(m, text)
	}
	return err
}

func (s *slackNetwork) remove(u *user, ref messageRef) error {
	m, err := s.find(ref)
	if err == nil {
		s.users[u].Delete(m)
	}
	return err
}

func (s *slackNetwork) react(u *user, ref messageRef, with emoji) error {
	m, err := s.find(ref)
	if err == nil {
		s.users[u].React(m, with.name)
	}
	return err
}

// typing does nothing: Slack sends apps no typing notifications.
func (s *slackNetwork) typing(*user, conversation) {}

func (s *slackNetwork) direct(u *user) conversation {
	return conversation{id: s.users[u].DM(s.login).ID, name: u.name, direct: true}
}

func (s *slackNetwork) onMessage(f func(incoming)) {
	s.server.OnMessage(func(m fake.Message) {
		if m.Subtype != "" && m.Subtype != "bot_message" || m.User != nil && s.userOf(m.User) != nil {
			return
		}
		in := incoming{author: m.Name, text: slackText(m.Text)}
		in.messageRef = messageRef{conversation{id: m.Channel.ID, name: s.channelName(m.Channel), direct: m.Channel.Name() == ""}, m.TS}
		if in.conversation.direct {
			in.to = s.peer(m.Channel)
		}
		f(in)
	})
}

func (s *slackNetwork) awaitTranscript(ctx context.Context, in conversation, ok func([]string) bool) bool {
	c := s.workspace.ChannelByID(in.id)
	return s.server.Await(ctx, func() bool { return ok(c.Lines()) })
}

// slackText is what a reader sees of a text that Slack has escaped.
func slackText(text string) string { return html.UnescapeString(text) }
