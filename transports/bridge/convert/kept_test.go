package convert

import (
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/richtext"
	"github.com/dragoman-im/dragoman/transports/textcheck"
)

// checkKeptWithMentions checks that nothing of a body is lost whatever parts of it are said to mention somebody, everybody or nobody, and
// that what the parts say is not lost on its way to other clients.
func checkKeptWithMentions(t *testing.T, body string, random *rand.Rand) {
	t.Helper()
	n := utf8.RuneCountInString(body)
	content := []*stanza.Element{Body(body)}
	for range random.IntN(5) {
		begin := random.IntN(n+2) - 1
		x := stanza.NewElement(NSReference, "reference").With("type", "mention").With("uri", "xmpp:ann@net.example.org")
		switch random.IntN(3) {
		case 0:
			x = stanza.NewElement(NSMentions, "mention").With("occupantid", "nobody")
		case 1:
			x = stanza.NewElement(NSMentions, "mention").With("mentions", NSMentions+"#channel")
		}
		content = append(content, x.With("begin", strconv.Itoa(begin)).With("end", strconv.Itoa(begin+random.IntN(8))))
	}
	who := func(to Referred) (transports.UserID, bool) { return "u1", to.Address == "ann@net.example.org" }
	p := Parser{MaxText: 10_000, Who: who, All: true}
	p.Info.Caps.MaxText = 40
	r, err := p.Parse(stanza.NewMessage(jid.JID{}, jid.JID{}, stanza.TypeGroupchat, content...), nil)
	if err != nil {
		if strings.TrimSpace(body) == "" || strings.Contains(err.Error(), "too long") {
			return
		}
		t.Fatalf("%q: %v", body, err)
	}
	var sent, shown strings.Builder
	for _, part := range r.Parts {
		part.Walk(func(n *richtext.Node) {
			switch {
			case n.Kind == richtext.All: // the network shows its own word for everybody
				sent.WriteString(n.ID)
			case n.Kind == richtext.Pre:
				sent.WriteString(n.ID + n.Text)
			default:
				sent.WriteString(n.Text + n.URL)
			}
		})
		shown.WriteString(Text(part, nil, 10_000).Text + "\n")
	}
	const markup = "*_~`>"
	want := strings.TrimPrefix(body, "/me ")
	if lost := textcheck.Lost(want, sent.String(), markup); lost != "" {
		t.Fatalf("%s is sent as %q: %q is lost", stanza.Encode(content...), sent.String(), lost)
	}
	if lost := textcheck.Lost(sent.String(), shown.String(), markup+"@"); lost != "" && !strings.Contains(stanza.Encode(content...), "#channel") {
		t.Fatalf("%s is shown as %q: %q is lost", stanza.Encode(content...), shown.String(), lost)
	}
}

func TestNothingIsLostByMentions(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(5, 6))
	for range 40 {
		for _, body := range textcheck.Bodies() {
			if !strings.ContainsAny(body, "\x02\x03") { // XML has neither
				checkKeptWithMentions(t, body, random)
			}
		}
	}
}

func FuzzNothingIsLostByMentions(f *testing.F) {
	textcheck.Fuzz(f, "\x02\x03"+string(utf8.RuneError), func(t *testing.T, text string) {
		checkKeptWithMentions(t, text, rand.New(rand.NewPCG(uint64(len(text)), 1)))
	})
}
