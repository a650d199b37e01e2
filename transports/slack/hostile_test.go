package slack

import (
	"strings"
	"testing"

	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/richtext"
	"github.com/dragoman-im/dragoman/transports/textcheck"
)

func unlinked() *client {
	return newClient(New(Options{}), transports.Login{}, credentials{Team: "T1", Self: "U1"}, nil)
}

func written(s *client, t richtext.Text) string { return s.markup(transports.Outgoing{Text: t}) }

func TestNoTextOfOursPingsSlack(t *testing.T) {
	w := newWorld(t)
	s, _ := w.open(w.link(w.userTok))
	for i, in := range textcheck.Pings() {
		out := outgoing(in, "c"+string(rune('a'+i)))
		out.Room = w.room()
		textcheck.CheckMrkdwn(t, in, s.markup(out))
		sent, err := s.Send(t.Context(), out)
		if err != nil {
			t.Errorf("%q: %v", in, err)
			continue
		}
		for what, text := range map[string]string{"posted": w.general.Message(string(sent.ID)).Text, "edited": edited(t, w, s, sent.ID, out)} {
			if strings.Contains(text, "<!") || strings.Contains(text, "<@") || strings.Contains(text, "<#") {
				t.Errorf("%q is %s as %q", in, what, text)
			}
		}
	}
	// What is a mention in the tree is one.
	if got := written(s, richtext.Text{{Kind: richtext.Mention, ID: "t1-u1", Text: "x"}, {Kind: richtext.All, Text: "here"}, {Kind: richtext.Link, URL: "!channel"}}); got != "@x@here!channel" {
		t.Errorf("%q", got)
	}
	if got := written(s, richtext.Text{{Kind: richtext.Mention, ID: string(userID(w.acme.ID, w.ben.ID)), Text: "x"}}); got != "<@"+w.ben.ID+">" {
		t.Errorf("%q", got)
	}
}

func edited(t *testing.T, w *world, s *client, id transports.MessageID, out transports.Outgoing) string {
	t.Helper()
	if err := edit(s, transports.MessageRef{Room: w.room(), ID: id}, out); err != nil {
		t.Error(err)
	}
	return w.general.Message(string(id)).Text
}
