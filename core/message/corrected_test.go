package message

import (
	"slices"
	"testing"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// A history shows each message once, as it was corrected last, and no correction of what it does not show.
func TestCorrectedHistory(t *testing.T) {
	t.Parallel()
	entry := func(nick, occupant, id, replaces, body string) *stanza.Stanza {
		st := stanza.NewMessage(jid.JID{}, jid.MustParse("room@example.org/"+nick), stanza.TypeGroupchat, stanza.TextElement("", "body", body))
		st.ID = id
		if replaces != "" {
			st = st.With(stanza.NewElement(NSCorrect, "replace").With("id", replaces))
		}
		return st.With(stanza.NewElement(nsOccupantID, "occupant-id").With("id", occupant), stanza.NewElement(NSStanzaID, "stanza-id").With("id", "s-"+id))
	}
	of := func(st **stanza.Stanza) **stanza.Stanza { return st }
	for _, test := range []struct {
		name    string
		entries []*stanza.Stanza
		partial bool
		want    []string
	}{
		{"none", []*stanza.Stanza{entry("Ann", "a", "1", "", "one")}, false, []string{"1 s-1 one"}},
		{"corrected twice", []*stanza.Stanza{
			entry("Ann", "a", "1", "", "onr"), entry("Bob", "b", "2", "", "two"), entry("Ann", "a", "3", "1", "ine"), entry("Ann", "a", "4", "1", "one"),
		}, false, []string{"1 s-1 one", "2 s-2 two"}},
		{"under another nick", []*stanza.Stanza{entry("Ann", "a", "1", "", "onr"), entry("Anna", "a", "3", "1", "one")}, false, []string{"1 s-1 one"}},
		{"by somebody else", []*stanza.Stanza{entry("Ann", "a", "1", "", "one"), entry("Eve", "e", "3", "1", "forged")}, false, []string{"1 s-1 one"}},
		{"the message is gone", []*stanza.Stanza{entry("Ann", "a", "3", "1", "one")}, false, nil},
		{"the client may have it", []*stanza.Stanza{entry("Ann", "a", "3", "1", "one")}, true, []string{"3 s-3 one (replaces 1)"}},
	} {
		var got []string
		for _, st := range ApplyCorrections(test.entries, of, test.partial) {
			line := st.ID + " " + st.Child(NSStanzaID, "stanza-id").Attr("id") + " " + st.Body()
			if r := st.Child(NSCorrect, "replace"); r != nil {
				line += " (replaces " + r.Attr("id") + ")"
			}
			got = append(got, line)
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
	}
	first := entry("Ann", "a", "1", "", "onr")
	if ApplyCorrections([]*stanza.Stanza{first, entry("Ann", "a", "2", "1", "one")}, of, false); first.Body() != "onr" {
		t.Error("the stored message was changed")
	}
}
