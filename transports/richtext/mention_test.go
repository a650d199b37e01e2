package richtext

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Names are mentions where it is clear who is meant, and text else.
func TestMentions(t *testing.T) {
	t.Parallel()
	find := func(sign byte, s string) (Node, int) {
		m := NewMatch(s)
		if sign == '#' {
			m.Try("general", Node{Kind: Channel, ID: "c1", Text: "general"})
			return m.Found()
		}
		for id, name := range []string{"Cat", "Cat Stone", "Bob", "bob", "Zoë", "dan_1"} {
			m.Try(name, Node{Kind: Mention, ID: string(rune('a' + id)), Text: name})
		}
		return m.Found()
	}
	person := func(id, name string) Node { return Node{Kind: Mention, ID: id, Text: name} }
	for body, want := range map[string]Text{
		"@Cat":                        {person("a", "Cat")},
		"hi @cat stone, @Cat!":        {text("hi "), person("b", "Cat Stone"), text(", "), person("a", "Cat"), text("!")},
		"@Bob and @Cats a@Cat @ZOË":   {text("@Bob and @Cats a@Cat "), person("e", "Zoë")},
		"*@cat* `@cat` #general.":     {b(person("a", "Cat")), text(" "), {Kind: Code, Text: "@cat"}, text(" "), {Kind: Channel, ID: "c1", Text: "general"}, text(".")},
		"@here @everyone @dan_1 @dan": {text("@here @everyone "), person("f", "dan_1"), text(" @dan")},
		"> @cat\nhttps://e.org/@cat":  {quote(person("a", "Cat")), {Kind: Link, URL: "https://e.org/@cat"}},
	} {
		if d := cmp.Diff(want, Mentions(ParseStyling(body), "@#", find)); d != "" {
			t.Errorf("%q: %s", body, d)
		}
	}
}

// However many signs there are, few names are looked for.
func TestMentionsAreBounded(t *testing.T) {
	t.Parallel()
	asked := 0
	got := Mentions(ParseStyling(strings.Repeat("@a ", 100000)), "@", func(byte, string) (Node, int) { asked++; return Node{}, 0 })
	if asked != maxNamed || got.String() != strings.Repeat("@a ", 100000) {
		t.Errorf("asked %d times", asked)
	}
}
