package archives

import (
	"testing"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
)

var (
	alice = jid.MustParse("alice@example.org")
	bob   = jid.MustParse("bob@example.org/<'&")
)

// A message comes back as it was, and what is damaged is refused.
func TestForm(t *testing.T) {
	t.Parallel()
	for _, st := range []*stanza.Stanza{
		{Kind: stanza.Message},
		{Kind: stanza.Message, To: alice, From: bob, ID: "a'\x00", Type: stanza.TypeChat, Lang: "de", Extra: " xmlns:p='urn:p' p:q='1'", Payload: "<body>x</body>"},
		{Kind: stanza.Message, To: bob, From: alice, Payload: "<body/>"},
	} {
		form := appendForm(nil, st, st.Payload, false)
		back, err := parseForm(form, alice, "1")
		if err != nil || back.String() != st.String() {
			t.Errorf("%s, want %s: %v", back, st, err)
		}
		for i := range len(form) - len(st.Payload) {
			if back, err := parseForm(form[:i], alice, "1"); err == nil {
				t.Errorf("%d bytes are read as %s", i, back)
			}
		}
		stamped, err := parseForm(appendForm(nil, st, st.Payload, true), alice, "1")
		want := st.Payload
		if st.From.Bare() != alice {
			want += "<stanza-id xmlns='urn:xmpp:sid:0' by='alice@example.org' id='1'/>"
		}
		if err != nil || stamped.Payload != want {
			t.Errorf("%s, want %s: %v", stamped, want, err)
		}
	}
}

func FuzzForm(f *testing.F) {
	f.Add([]byte{formVersion, 1, 0, 0, 0, 0, 0, 0, 'x'})
	f.Add([]byte("<message xmlns='jabber:client'/>"))
	f.Fuzz(func(t *testing.T, data []byte) {
		st, err := parseForm(data, alice, "1")
		if err != nil || data[0] != formVersion {
			return
		}
		back, err := parseForm(appendForm(nil, st, st.Payload, false), alice, "1")
		if err != nil || back.String() != st.String() {
			t.Errorf("%q: %s, %v", data, back, err)
		}
	})
}
