package richtext

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

// The index finds what a comparison with all names finds, whatever was added and removed before.
func TestNamesFindWhatComparisonFinds(t *testing.T) {
	t.Parallel()
	const letters = "aAbBéÉKK_ .-İß"
	random := rand.New(rand.NewPCG(1, 2))
	word := func(most int) string {
		var b strings.Builder
		for range random.IntN(most + 1) {
			r := []rune(letters)
			b.WriteRune(r[random.IntN(len(r))])
		}
		return b.String()
	}
	node := func(id string) Node { return Node{Kind: Mention, ID: id} }
	for range 300 {
		var names Names
		has := map[string]map[string]bool{}
		for range random.IntN(60) {
			name, id := word(3), fmt.Sprint(random.IntN(6))
			if has[name] == nil {
				has[name] = map[string]bool{}
			}
			if random.IntN(3) == 0 {
				for other := range has { // those that are the same but for large and small letters go too
					if a, _ := foldedName(other); a != "" {
						if b, _ := foldedName(name); a == b {
							delete(has[other], id)
						}
					}
				}
				names.Remove(name, id)
			} else {
				has[name][id] = true
				names.Put(name, id)
			}
		}
		for range 60 {
			text := word(6)
			slow, fast := NewMatch(text), NewMatch(text)
			for name, ids := range has {
				for id := range ids {
					tryFolded(slow, name, node(id))
				}
			}
			names.Try(fast, nil, node)
			wantNode, wantSize := slow.Found()
			if gotNode, gotSize := fast.Found(); gotSize != wantSize || gotNode.ID != wantNode.ID {
				t.Fatalf("%q begins with %d bytes of %q, want %d of %q; names %v", text, gotSize, gotNode.ID, wantSize, wantNode.ID, has)
			}
		}
	}
}

// tryFolded compares one name with all beginnings of a text: some letters have another length when they are small.
func tryFolded(m *Match, name string, n Node) {
	for size := range len(m.text) + 1 {
		if strings.EqualFold(m.text[:size], name) && size > 0 {
			m.Try(m.text[:size], n)
		}
	}
}

// Only those who are accepted are found; a name that is too long is not looked for.
func TestNamesAcceptSome(t *testing.T) {
	t.Parallel()
	var names Names
	names.Put("Cat", "1")
	names.Put("cat", "2")
	names.Put(strings.Repeat("x", maxIndexed+1), "3")
	names.Put("", "4")
	find := func(text string, accept func(string) bool) (string, int) {
		m := NewMatch(text)
		names.Try(m, accept, func(id string) Node { return Node{Kind: Mention, ID: id} })
		n, size := m.Found()
		return n.ID, size
	}
	if id, size := find("CAT!", nil); size != 0 {
		t.Errorf("of two with one name %q is found", id)
	}
	if id, size := find("CAT!", func(id string) bool { return id == "2" }); id != "2" || size != 3 {
		t.Errorf("found %q, %d bytes", id, size)
	}
	if id, size := find(strings.Repeat("x", 2*maxIndexed), nil); size != 0 {
		t.Errorf("found %q", id)
	}
	names.Remove("CAT", "2")
	names.Remove("cat", "1")
	if names.Remove("cat", "1"); !names.Empty() {
		t.Error("names are left")
	}
}

// Many who have one name are added and removed in time that is proportional to their number.
func TestNamesOfMany(t *testing.T) {
	t.Parallel()
	const many = 100_000
	begin := time.Now()
	var names Names
	for i := range many {
		names.Put("The same", fmt.Sprint(i))
	}
	for i := range many {
		names.Remove("The same", fmt.Sprint(i))
	}
	if took := time.Since(begin); took > 20*time.Second || !names.Empty() {
		t.Errorf("it took %s", took)
	}
}

func BenchmarkNames(b *testing.B) {
	var names Names
	for i := range 100_000 {
		names.Put(fmt.Sprint("Member ", i), fmt.Sprint(i))
	}
	text := "member 99999 and a text behind the name that goes on for a while, as texts do"
	for b.Loop() {
		m := NewMatch(text)
		names.Try(m, nil, func(id string) Node { return Node{Kind: Mention, ID: id} })
		if _, size := m.Found(); size != len("member 99999") {
			b.Fatal(size)
		}
	}
}
