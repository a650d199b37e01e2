package stanza

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// long is a namespace that a stanza can declare once and use in thousands of elements.
var long = "u:" + strings.Repeat("U", 150_000)

// amplifying returns stanzas of about 175 kB whose elements repeat a long namespace.
func amplifying() map[string]*Stanza {
	const n = 3900
	return map[string]*Stanza{
		"prefix of the start tag": {
			Kind: Message, To: bob, From: alice, Extra: " xmlns:p='" + long + "'",
			Payload: "<body>x</body><y xmlns='y:y'>" + strings.Repeat("<p:e/>", n) + "</y>",
		},
		"children of the stanza": {
			Kind: Message, To: bob, From: alice, Extra: " xmlns:p='" + long + "'", Payload: strings.Repeat("<p:e/>", n),
		},
		"prefix of a child": {
			Kind: Message, To: bob, From: alice, Payload: "<y xmlns='y:y' xmlns:p='" + long + "'>" + strings.Repeat("<p:e/>", n) + "</y>",
		},
		"attributes": {
			Kind: Message, To: bob, From: alice,
			Payload: "<y xmlns='y:y' xmlns:p='" + long + "'>" + strings.Repeat("<e p:a=''/>", n/2) + "</y>",
		},
		"attribute of the start tag": {
			Kind: Message, To: bob, From: alice, Extra: " xmlns:p='" + long + "' p:a='1'", Payload: "<y xmlns='y:y'>" + strings.Repeat("<p:e/>", n) + "</y>",
		},
		"default namespaces in turn": {
			Kind: Message, To: bob, From: alice,
			Payload: "<p:y xmlns:p='" + long + "'>" + strings.Repeat("<x xmlns='x'><p:e/></x>", n/2) + "</p:y>",
		},
	}
}

// peak returns how many bytes f allocates, which is at least what it holds at any time.
func peak(f func()) int {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return int(after.TotalAlloc - before.TotalAlloc)
}

// Not parallel: it counts allocations of the process.
func TestNamespacesAreNotRepeated(t *testing.T) {
	const limit = 4 * 256 << 10 // of the largest stanza of a client
	for name, st := range amplifying() {
		text := string(st.AppendXML(nil, NSClient))
		want := tree(t, text)
		var parsed *Element
		check := func(what string, f func() string) {
			var got string
			if used := peak(func() { got = f() }); used > limit {
				t.Errorf("%s: %s allocates %d bytes for a stanza of %d", name, what, used, len(text))
			}
			if got == "" {
				return
			}
			if len(got) > len(text)+20_000 {
				t.Errorf("%s: %s makes %d bytes of %d", name, what, len(got), len(text))
			} else if back := tree(t, got); !reflect.DeepEqual(want, back) {
				t.Errorf("%s: %s changes the content: %.500s", name, what, cmp.Diff(want, back))
			}
		}
		check("the tree", func() string { parsed = st.Copy().Tree(); return "" })
		check("encoding it", func() string { return parsed.String() })
		check("Parse and AppendXML", func() string {
			got, err := Parse(text)
			if err != nil {
				t.Fatal(err)
			}
			return string(got.AppendXML(make([]byte, 0, len(text)), NSClient))
		})
		var whole *Stanza
		check("FromElement", func() string {
			var err error
			if whole, err = FromElement(parsed); err != nil {
				t.Fatal(err)
			}
			return ""
		})
		check("AppendXML", func() string { return string(whole.AppendXML(make([]byte, 0, len(text)), NSClient)) })
	}
}

// element is what cmp compares of an element.
type element struct {
	Name  string
	Attrs map[string]string
	Nodes []any
}

// tree parses XML; long namespaces are shortened.
func tree(t *testing.T, xml string) element {
	t.Helper()
	e, err := ParseElement(xml, "")
	if err != nil {
		t.Fatal(err)
	}
	return comparable(e)
}

func comparable(e *Element) element {
	short := func(space, local string) string {
		if len(space) == len(long) {
			space = "LONG"
		}
		return space + " " + local
	}
	c := element{Name: short(e.Space, e.Local), Attrs: map[string]string{}}
	for _, a := range e.Attrs {
		c.Attrs[short(a.Space, a.Local)] = a.Value
	}
	for _, n := range e.Nodes {
		if n.Element != nil {
			c.Nodes = append(c.Nodes, comparable(n.Element))
		} else {
			c.Nodes = append(c.Nodes, n.Text)
		}
	}
	return c
}

// Trees of random namespaces, long and short ones, come back as they were.
func TestEncodedTreesParseBack(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	spaces := []string{NSClient, NSServer, "urn:a", "urn:b'<&", "urn:" + strings.Repeat("c", 3000), "urn:" + strings.Repeat("d", 5000)}
	var build func(depth int) *Element
	build = func(depth int) *Element {
		e := NewElement(spaces[r.IntN(len(spaces))], fmt.Sprintf("e%d", r.IntN(3)))
		for i := range r.IntN(3) {
			space := spaces[2+r.IntN(len(spaces)-2)]
			if r.IntN(2) == 0 {
				space = ""
			}
			e.Attrs = append(e.Attrs, Attr{Space: space, Local: fmt.Sprintf("a%d", i), Value: "v'\n&"})
		}
		for range r.IntN(5) {
			if depth > 0 {
				e.Add(build(depth - 1))
			}
		}
		if r.IntN(2) == 0 {
			e.AddText("<text>\"\n\t")
		}
		return e
	}
	for range 300 {
		e := build(4)
		if d := cmp.Diff(comparable(e), tree(t, e.String())); d != "" {
			t.Fatalf("%s: %s", e, d)
		}
		if got := e.EncodedLen(); got != len(e.String()) {
			t.Fatalf("EncodedLen is %d, of %d: %s", got, len(e.String()), e)
		}
		m := NewElement(NSClient, "message").With("to", bob.String()).Add(e)
		st, err := FromElement(m)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(comparable(m), comparable(st.Tree())); d != "" {
			t.Fatalf("FromElement of %s: %s", m, d)
		}
	}
}

// Pieces of text are joined in one step: one after the other would copy the text so far for each.
func TestManyPiecesOfText(t *testing.T) {
	const n = 10_000
	xml := "<a>" + strings.Repeat("<![CDATA[0123456789]]>", n) + "</a>"
	var e *Element
	used := peak(func() {
		var err error
		if e, err = ParseElement(xml, ""); err != nil {
			t.Fatal(err)
		}
	})
	if len(e.Nodes) != 1 || e.Text() != strings.Repeat("0123456789", n) {
		t.Errorf("%d nodes, %d bytes", len(e.Nodes), len(e.Text()))
	}
	if used > 8*len(xml) {
		t.Errorf("%d bytes allocated for %d", used, len(xml))
	}
}

func TestParseKeepsContent(t *testing.T) {
	t.Parallel()
	text := `<message to='bob@example.org' from='alice@example.org/x' id='1' type='chat' xml:lang='en' xmlns:p='urn:p' p:q="1">` +
		`<body>a<![CDATA[<b>]]></body><p:x  a = 'b' /> <c xmlns='urn:c'/></message>`
	st, err := Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	if got := st.String(); got != text {
		t.Error(cmp.Diff(text, got))
	}
	for _, bad := range []string{"", "<message", "<message/><message/>", "<message><a></message>", "<other/>", "<message xmlns='x'/>", "<message to='@'/>", "<message><p:a/></message>"} {
		if st, err := Parse(bad); err == nil {
			t.Errorf("%s: %s", bad, st)
		}
	}
	empty, err := Parse("<presence/>")
	if err != nil || empty.Payload != "" || empty.Kind != Presence {
		t.Errorf("%v %v", empty, err)
	}
}
