package discord

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/discord/fake"
	"github.com/dragoman-im/dragoman/transports/richtext"
)

// correct changes a message and returns what did not fit.
func (w *world) correct(s *client, id transports.MessageID, m transports.Outgoing) richtext.Text {
	w.t.Helper()
	rest, err := s.Edit(w.t.Context(), transports.MessageRef{Room: m.Room, ID: id}, m)
	w.must(err)
	return rest
}

// Without webhooks the bot names the author, also after a correction, and what does not fit behind the name is given back.
func TestCorrectionsKeepTheSpeaker(t *testing.T) {
	w := newWorld(t)
	w.bot.Permit(w.guild, fake.EverybodysPermissions)
	s, _ := w.open(w.link())
	m := say(w.general, "hi", "c1")
	m.Author = &transports.Author{Name: "u_"}
	sent, err := s.Send(t.Context(), m)
	w.must(err)
	m.Text = richtext.FromPlain("edited")
	if rest := w.correct(s, sent.ID, m); len(rest) > 0 || w.message(sent.ID).Text != `**u\_**: edited` {
		t.Errorf("%q, %q", w.message(sent.ID).Text, rest.String())
	}
	m.Text = richtext.FromPlain(strings.Repeat("_", 1000)) // 2,000 characters when it is escaped
	rest := w.correct(s, sent.ID, m)
	text := w.message(sent.ID).Text
	if n := strings.Count(text, `\_`) - 1 + len(rest.String()); n != 1000 || utf8.RuneCountInString(text) > maxText || !strings.HasPrefix(text, `**u\_**: `) {
		t.Errorf("%d characters and %q", utf8.RuneCountInString(text), rest.String())
	}
}

// What a message answers is kept: as the bot by Discord's reference, through a webhook by a link, also after a correction.
func TestRepliesAndTheirCorrections(t *testing.T) {
	w := newWorld(t)
	s, _ := w.open(w.link())
	question := w.say(w.general, w.ann, "shall we?")
	m := say(w.general, "yes", "c1")
	m.ReplyTo = transports.MessageID(question)
	sent, err := s.Send(t.Context(), m)
	w.must(err)
	whole, err := s.message(t.Context(), string(w.general), string(sent.ID))
	w.must(err)
	if whole.Reference == nil || whole.Reference.MessageID != question {
		t.Errorf("the bot's message answers %+v", whole.Reference)
	}
	m.ClientID, m.Author = "c2", &transports.Author{Name: "Juliet"}
	relayed, err := s.Send(t.Context(), m)
	w.must(err)
	lead := "-# ↪ https://discord.com/channels/" + string(w.guild) + "/" + string(w.general) + "/" + question + "\n"
	if got := w.message(relayed.ID); got.Name != "Juliet" || got.Text != lead+"yes" {
		t.Errorf("%+v", got)
	}
	m.ClientID, m.Answered = "c3", &transports.Answered{Author: "An_n", Text: "shall we\ngo to [the](https://evil.example) @everyone " + strings.Repeat("now ", 40)}
	quoting, err := s.Send(t.Context(), m)
	w.must(err)
	link := strings.TrimSuffix(strings.TrimPrefix(lead, "-# ↪ "), "\n")
	want := "-# ↪ [An\\_n: shall we go to (the)\\(https\\://evil.example) @\u200beveryone now now now now now now now…](" + link + ")\nyes"
	if got := w.message(quoting.ID).Text; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	m.Answered = nil
	m.Text = richtext.FromPlain(strings.Repeat("word ", 500)) // 2,500 characters
	rest := w.correct(s, relayed.ID, m)
	got := w.message(relayed.ID).Text
	if !strings.HasPrefix(got, lead+"word ") || utf8.RuneCountInString(got) > maxText || strings.Count(got, "word")+strings.Count(rest.String(), "word") != 500 {
		t.Errorf("%q, and %q is left", got, rest.String())
	}
}
