package slack

import (
	"net/url"
	"slices"
	"testing"

	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/richtext"
	"github.com/dragoman-im/dragoman/transports/slack/fake"
)

// What a text names is mentioned where it is clear who is meant, and nobody is alerted else.
func TestNamesAreMentions(t *testing.T) {
	w := newWorld(t)
	crew := w.acme.AddGroup("crew")
	w.acme.AddUser(fake.Person{Name: "cat1", DisplayName: "Cat"})
	w.acme.AddUser(fake.Person{Name: "cat2", DisplayName: "Cat"})
	s, _ := w.open(w.link(w.userTok))
	if err := s.Contacts(t.Context(), func([]transports.UserInfo) error { return nil }); err != nil {
		t.Fatal(err)
	}
	if err := s.Rooms(t.Context(), func([]transports.RoomInfo) error { return nil }); err != nil {
		t.Fatal(err)
	}
	ben := "<@" + w.ben.ID + ">"
	for in, want := range map[string]string{
		"hi @ben, see #general":               "hi " + ben + ", see <#" + w.general.ID + ">",
		"@Ben Best: @crew":                    ben + ": <!subteam^" + crew + ">",
		"@Cat @cat1s @benny a@ben `@ben`":     "@Cat @cat1s @benny a@ben `@ben`",
		"@here @channel @everyone <@U1> <!x>": "@here @channel @everyone &lt;@U1&gt; &lt;!x&gt;",
	} {
		out := outgoing(in, in)
		out.Room = w.room()
		sent, err := s.Send(t.Context(), out)
		if err != nil {
			t.Fatal(err)
		}
		if got := w.general.Message(string(sent.ID)).Text; got != want {
			t.Errorf("%q is sent as %q, want %q", in, got, want)
		}
		if err := edit(s, transports.MessageRef{Room: w.room(), ID: sent.ID}, out); err != nil {
			t.Fatal(err)
		}
		if got := w.general.Message(string(sent.ID)).Text; got != want {
			t.Errorf("%q is edited to %q, want %q", in, got, want)
		}
	}
}

// Whom a message mentions is looked up where they are not known yet.
func TestMentionedAreLookedUp(t *testing.T) {
	w := newWorld(t)
	crew := w.acme.AddGroup("crew")
	s, k := w.open(w.link(w.userTok))
	cat := w.acme.AddUser(fake.Person{Name: "cat", DisplayName: "Cat"})
	s.mu.Lock()
	delete(s.people, cat.ID)
	s.mu.Unlock()
	text := "ask <@" + cat.ID + "> or <!subteam^" + crew + "> or <@U0NOBODY01>"
	if err := s.call(t.Context(), "chat.postMessage", url.Values{"channel": {w.general.ID}, "text": {text}}, nil); err != nil {
		t.Fatal(err)
	}
	k.Event(t, "message ask @Cat or @crew or @U0NOBODY01")
	s.mu.Lock()
	delete(s.people, cat.ID)
	s.mu.Unlock()
	page, err := s.History(t.Context(), transports.HistoryRequest{Room: w.room(), Limit: 10})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(page.Events, func(e transports.Event) bool {
		m, ok := e.Body.(transports.Message)
		return ok && m.Text.String() == "ask @Cat or @crew or @U0NOBODY01"
	}) {
		t.Errorf("%+v", page.Events)
	}
}

// Everybody is alerted by a person's own token, whose rights Slack checks; a bot, which may alert everybody, does not do it for others.
func TestMentionOfEverybody(t *testing.T) {
	w := newWorld(t)
	for user, want := range map[string]string{w.userTok: "<!here> &lt;!channel&gt; @channel", "": "@all &lt;!channel&gt; @channel"} {
		s, _ := w.open(w.link(user))
		out := outgoing("", "all of "+user)
		out.Text = richtext.Text{{Kind: richtext.All, Text: "here", ID: "@all"}, {Text: " <!channel> "}, {Kind: richtext.All, Text: "channel"}}
		out.Room = w.room()
		sent, err := s.Send(t.Context(), out)
		if err != nil {
			t.Fatal(err)
		}
		if got := w.general.Message(string(sent.ID)).Text; got != want {
			t.Errorf("it is sent as %q, want %q", got, want)
		}
	}
}
