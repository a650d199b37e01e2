package integration_test

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/transports/slack/fake"
	"github.com/dragoman-im/dragoman/transports/slack/fake/conformance"
)

// slackNetwork is a workspace: Ann is the user, Ben the friend, #general the channel.
type slackNetwork struct {
	t        *testing.T
	server   *fake.Server
	acme     *fake.Workspace
	ann, ben *fake.User
	general  *fake.Channel
	app      *fake.App
	install  *fake.Install
	user     string // Ann's token
}

// newSlackNetwork starts a fake server whose every payload is compared with Slack's own
// descriptions.
func newSlackNetwork(t *testing.T) *slackNetwork {
	t.Helper()
	s := &slackNetwork{t: t}
	s.server = fake.New(fake.Options{
		Check: conformance.Hook(t), AckTimeout: time.Second,
		RetryAfter: []time.Duration{0, 200 * time.Millisecond, 500 * time.Millisecond},
	})
	if err := s.server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.server.Close)
	t.Cleanup(func() {
		for _, c := range s.server.Complaints() {
			t.Errorf("complaint of the fake Slack server: %v", c)
		}
	})
	s.acme = s.server.AddWorkspace("Acme", "acme")
	s.ann = s.acme.AddUser(fake.Person{Name: "ann", RealName: "Ann Able", DisplayName: "Ann", Email: "ann@acme.example"})
	s.ben = s.acme.AddUser(fake.Person{Name: "ben", RealName: "Ben Best", DisplayName: "Ben"})
	s.general = s.acme.AddChannel(fake.Room{Name: "general", General: true, Topic: "All things", Members: []*fake.User{s.ann, s.ben}})
	s.app = s.server.AddApp(manifest(t))
	s.install = s.app.Install(s.acme)
	s.ben.Invite(s.general, s.install.Bot)
	s.user = s.app.Link(s.ann)
	return s
}

// manifest is the app of the setup guide: it has no other scopes and events.
func manifest(t *testing.T) fake.AppSpec {
	t.Helper()
	text, err := os.ReadFile("../transports/slack/manifest.yaml")
	if err != nil {
		t.Fatal(err)
	}
	lists := map[string]*[]string{}
	spec := fake.AppSpec{Name: "Dragoman"}
	lists["bot"], lists["user"], lists["bot_events"], lists["user_events"] = &spec.BotScopes, &spec.UserScopes, &spec.BotEvents, &spec.UserEvents
	var list *[]string
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if item, ok := strings.CutPrefix(line, "- "); !ok {
			list = lists[strings.TrimSuffix(line, ":")]
		} else if list != nil {
			*list = append(*list, item)
		}
	}
	for name, list := range lists {
		if len(*list) == 0 {
			t.Fatalf("the manifest has no %s", name)
		}
	}
	return spec
}

func (s *slackNetwork) kind() string   { return "slack" }
func (s *slackNetwork) apiURL() string { return s.server.APIURL() }

func (s *slackNetwork) tokens() map[string]string {
	return map[string]string{"app": s.app.Token, "bot": s.install.Token, "user": s.user}
}

func (s *slackNetwork) friend() (local, name, group string) {
	return strings.ToLower(s.acme.ID + "-" + s.ben.ID), s.ben.Name(), "Acme"
}

func (s *slackNetwork) channel() (local, name string) {
	return strings.ToLower(s.acme.ID + "-" + s.general.ID), "general"
}

func (s *slackNetwork) conversation(direct bool) *fake.Channel {
	if direct {
		return s.ben.DM(s.ann)
	}
	return s.general
}

func (s *slackNetwork) send(direct bool, text string) messageRef {
	return messageRef{direct, s.ben.Say(s.conversation(direct), text)}
}

func (s *slackNetwork) edit(n messageRef, text string) { s.ben.Edit(n.id.(fake.Message), text) }
func (s *slackNetwork) remove(n messageRef)            { s.ben.Delete(n.id.(fake.Message)) }
func (s *slackNetwork) lines(direct bool) []string {
	return s.conversation(direct).Lines()
}
func (s *slackNetwork) setOnline(online bool)   { s.ben.SetPresence(online) }
func (s *slackNetwork) outage()                 { s.server.Outage() }
func (s *slackNetwork) restore(context.Context) { s.server.Restore() }
func (s *slackNetwork) loseReply(bool)          { s.server.Break("chat.postMessage", 1, fake.LostReply()) }
func (s *slackNetwork) redeliver()              { s.app.Redeliver(3) }

func (s *slackNetwork) revoke() {
	if !s.server.Revoke(s.user) {
		s.t.Error("the user's token was not alive")
	}
	s.user = s.app.Link(s.ann)
}

func (s *slackNetwork) asFakeNetwork() fakeNetwork { return fakeNetwork{s, s, s} }
