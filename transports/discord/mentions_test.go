package discord

import (
	"fmt"
	"testing"

	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/discord/fake"
	"github.com/dragoman-im/dragoman/transports/discord/objects"
	"github.com/dragoman-im/dragoman/transports/richtext"
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

// Everybody is alerted where the bot may do that, also when a webhook writes, which may always; else the text says what was typed.
func TestMentionOfEverybody(t *testing.T) {
	w := newWorld(t)
	w.SetRole(w.guild, w.guild, fake.EverybodysPermissions&^fake.MentionEveryone)
	s, k := w.open(w.link())
	may := func() bool {
		return s.state.Allows(s.state.Channel(string(w.general)), s.cred.Bot, objects.PermissionMentionEveryone)
	}
	k.Await(t, "the guild", func() bool { return s.state.Channel(string(w.general)) != nil && !may() })
	number := 0
	check := func(text, want string, everyone bool) {
		t.Helper()
		for _, author := range []*transports.Author{nil, {Name: "Zed"}} {
			number++
			out := say(w.general, "", fmt.Sprint("a-long-id-of-this-message-", number))
			out.Text = richtext.Text{{Kind: richtext.All, Text: text, ID: "@all"}, {Text: ", not @here"}}
			out.Author = author
			sent, err := s.Send(t.Context(), out)
			if err != nil {
				t.Fatal(err)
			}
			if got := w.message(sent.ID); got.Text != want+", not @\u200bhere" || got.Everyone != everyone {
				t.Errorf("%q by %v is sent as %q, everybody %v", text, author, got.Text, got.Everyone)
			}
		}
	}
	check("here", "@all", false)
	w.SetRole(w.guild, w.guild, fake.EverybodysPermissions|fake.MentionEveryone)
	k.Await(t, "the permission", may)
	check("here", "@here", true)
	check("channel", "@everyone", true)
}
