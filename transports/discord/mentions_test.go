package discord

import (
	"testing"

	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/discord/fake"
)

// What a text names is mentioned where it is clear who is meant, and nobody is alerted else.
func TestNamesAreMentions(t *testing.T) {
	w := newWorld(t)
	role := w.AddRole(w.guild, "crew", 0)
	for _, name := range []string{"cat1", "cat2"} {
		w.AddMember(w.guild, w.AddUser(fake.User{Name: name, Display: "Cat"}))
	}
	s, k := w.open(w.link())
	w.must(s.Contacts(t.Context(), func([]transports.UserInfo) error { return nil }))
	k.Await(t, "the role", func() bool { return s.state.Role(string(w.guild), string(role)) == "crew" })
	ben, ann := "<@"+string(w.ben)+">", "<@"+string(w.ann)+">"
	for in, want := range map[string]string{
		"hi @ben, see #general":             "hi " + ben + ", see <#" + string(w.general) + ">",
		"@Ann Example: @ann @crew":          ann + ": " + ann + " <@&" + string(role) + ">",
		"@Cat @cat1s @benny a@ben `@ben`":   "@Cat @cat1s @benny a@ben `@ben`",
		"@here @everyone <@1> :smile: a:b:": "@\u200bhere @\u200beveryone \\<@1> :smile: a:b:",
	} {
		for _, author := range []*transports.Author{nil, {Name: "Zed"}} {
			out := say(w.general, in, in)
			out.Author = author
			sent, err := s.Send(t.Context(), out)
			if err != nil {
				t.Fatal(err)
			}
			if got := w.message(sent.ID).Text; got != want {
				t.Errorf("%q is sent as %q, want %q", in, got, want)
			}
			if err := edit(s, transports.MessageRef{Room: out.Room, ID: sent.ID}, out); err != nil {
				t.Fatal(err)
			}
		}
	}
}
