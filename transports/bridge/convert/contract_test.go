package convert

import (
	"errors"
	"strings"
	"testing"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/richtext"
)

// An id of a network, in whatever case, comes back out of its address.
func TestIDsInAddresses(t *testing.T) {
	t.Parallel()
	a := Addresses{Domain: jid.MustParse("chat.example.org")}
	for _, id := range []string{"t024be7ld-u023becgf", "C0G9QF9GW", "#go/é", `\4d`, "a@b.example"} {
		contact, err := a.Contact(transports.UserID(id))
		if err != nil {
			t.Fatal(err)
		}
		if got := NetworkID(jid.MustParse(contact.String())); got != id {
			t.Errorf("%q is %q in %s", id, got, contact)
		}
	}
}

func TestTextOfSpecialMessages(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		m    transports.Message
		want string
	}{
		{transports.Message{Location: &transports.Location{Latitude: 52.5, Longitude: 13.4, Name: "Berlin"}}, "Berlin: geo:52.500000,13.400000"},
		{transports.Message{Text: richtext.FromPlain("here"), Location: &transports.Location{Latitude: 1, Longitude: -2}}, "here\ngeo:1.000000,-2.000000"},
		{transports.Message{Files: []transports.File{{Kind: transports.FileSticker, Name: "wave"}}}, "Sticker: wave"},
		{transports.Message{Files: []transports.File{{Kind: transports.FileVoice}}}, "Voice message"},
	} {
		if got := MessageText(tc.m, 1000).Text; got != tc.want {
			t.Errorf("%q, want %q", got, tc.want)
		}
	}
	poll := Body(PollText(transports.Poll{Question: "Lunch?", Options: []transports.PollOption{{Text: "Soup", Votes: 2}, {Text: "None"}}, Ended: true}))
	if got := poll.Text(); got != "The poll has ended: Lunch?\n• Soup (2)\n• None" {
		t.Errorf("%q", got)
	}
}

func TestLoginSteps(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		step transports.Step
		want string
	}{
		{transports.Step{Text: "Hello.", Browser: "https://x.example"}, "https://x.example"}, {transports.Step{QR: "2@abc"}, "2@abc"},
		{transports.Step{Code: "12-34"}, "12-34"}, {transports.Step{Emoji: []string{"🐈", "🐕"}}, "🐈 🐕"}, {transports.Step{Wait: true}, "wait"},
		{transports.Step{Cookies: &transports.CookieRequest{URL: "https://y.example", Fields: []transports.CookieField{{Source: transports.SourceCookie, Name: "d", Domain: ".y.example"}}}}, "the cookie d of .y.example"},
	} {
		if got := strings.Join(LoginStep(tc.step), "\n"); !strings.Contains(got, tc.want) || !strings.Contains(got, tc.step.Text) {
			t.Errorf("%q has no %q", got, tc.want)
		}
	}
}

// What a room does not allow is refused before it is sent.
func TestLimitsOfReactions(t *testing.T) {
	t.Parallel()
	p := Parser{Info: transports.Info{Name: "Chat", Caps: transports.Caps{
		MessageCaps: transports.MessageCaps{React: true}, Limits: transports.Limits{MaxReactions: 1, Reactions: []string{"👍", "👎"}},
	}}, MaxText: 1000}
	react := func(emoji ...string) error {
		x := stanza.NewElement(NSReactions, "reactions").With("id", "m1")
		for _, e := range emoji {
			x.Add(stanza.TextElement(NSReactions, "reaction", e))
		}
		_, err := p.Parse(stanza.NewMessage(jid.MustParse("ann@example.org"), jid.MustParse("r@chat.example.org"), stanza.TypeChat, x), nil)
		return err
	}
	var refused *stanza.Error
	if err := react("👍"); err != nil {
		t.Error(err)
	}
	if err := react("🎉"); !errors.As(err, &refused) {
		t.Errorf("a reaction that is not allowed: %v", err)
	}
	if err := react("👍", "👎"); !errors.As(err, &refused) {
		t.Errorf("two reactions: %v", err)
	}
}
