package slack

import (
	"errors"
	"strings"
	"testing"

	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/slack/fake"
)

// A login changes the topic of a channel that it is in; only administrators remove messages of others.
func TestRightsInAChannel(t *testing.T) {
	w := newWorld(t)
	cy := w.acme.AddUser(fake.Person{Name: "cy", Admin: true})
	cy.Join(w.general)
	for token, admin := range map[string]bool{w.userTok: false, w.app.Link(cy): true} {
		s, _ := w.open(w.link(token))
		if err := s.Contacts(t.Context(), func([]transports.UserInfo) error { return nil }); err != nil {
			t.Fatal(err)
		}
		if got := s.Narrow(w.room(), w.net.Info().Caps); got.Moderate != admin || !got.CanChange(transports.ChangeTopic) {
			t.Errorf("admin %t: moderates %t, changes %v", admin, got.Moderate, got.Changes)
		}
		for _, text := range []string{"Tea & <cake> <!channel>", ""} {
			if _, err := s.Apply(t.Context(), transports.Change{Kind: transports.ChangeTopic, Room: w.room(), Text: text}); err != nil {
				t.Fatal(err)
			}
			info, err := s.Room(t.Context(), w.room())
			if err != nil || info.Topic != text {
				t.Errorf("the topic is %q, %v, want %q", info.Topic, err, text)
			}
		}
		_, err := s.Apply(t.Context(), transports.Change{Kind: transports.ChangeTopic, Room: w.room(), Text: strings.Repeat("ä", maxTopic+1)})
		var e *transports.Error
		if !errors.As(err, &e) || !strings.Contains(e.Text, "at most 250 characters") {
			t.Errorf("%v", err)
		}
	}
}
