package paging

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/dragoman-im/dragoman/core/stanza"
)

func parse(t testing.TB, set string) *stanza.Element {
	t.Helper()
	e, err := stanza.ParseElement("<query xmlns='x'>"+set+"</query>", "")
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func set(inner string) string { return "<set xmlns='" + NS + "'>" + inner + "</set>" }

func TestParse(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, xml string
		want      Request
		found     bool
		bad       bool
	}{
		{"none", "", All(), false, false},
		{"empty", set(""), All(), true, false},
		{"§2.1 max", set("<max>10</max>"), Request{Max: 10, Index: -1}, true, false},
		{"§2.2 after", set("<max>10</max><after> a </after>"), Request{Max: 10, After: "a", Index: -1}, true, false},
		{"§2.3 before", set("<before>z</before>"), Request{Max: NoLimit, Before: "z", Index: -1}, true, false},
		{"§2.5 last", set("<before/>"), Request{Max: NoLimit, Last: true, Index: -1}, true, false},
		{"§2.6 index", set("<index>371</index>"), Request{Max: NoLimit, Index: 371}, true, false},
		{"§2.7 count", set("<max>0</max>"), Request{Max: 0, Index: -1}, true, false},
		{"huge", set("<max>99999999999999999999</max>"), Request{Max: 1<<31 - 1, Index: -1}, true, false},
		{"negative", set("<max>-1</max>"), All(), true, true},
		{"plus", set("<max>+1</max>"), All(), true, true},
		{"not a number", set("<max>ten</max>"), All(), true, true},
		{"empty number", set("<max/>"), All(), true, true},
		{"negative index", set("<index>-4</index>"), All(), true, true},
		{"long id", set("<after>" + strings.Repeat("a", MaxID+1) + "</after>"), All(), true, true},
		{"window", set("<after>a</after><before>c</before>"), Request{Max: NoLimit, After: "a", Before: "c", Index: -1}, true, false},
		{"foreign child", set("<max xmlns='other'>x</max>"), All(), true, false},
	} {
		got, found, err := Parse(parse(t, c.xml))
		if got != c.want || found != c.found || (err != nil) != c.bad {
			t.Errorf("%s: got %+v, %v, %v", c.name, got, found, err)
		}
		var se *stanza.Error
		if err != nil && (!errors.As(err, &se) || se.Condition != "bad-request") {
			t.Errorf("%s: error %v", c.name, err)
		}
		if err == nil && found {
			again, _, err := Parse(stanza.NewElement("x", "query").Add(got.Element()))
			if err != nil || again != got {
				t.Errorf("%s: written and read again: %+v, %v", c.name, again, err)
			}
		}
	}
}

func TestList(t *testing.T) {
	t.Parallel()
	items := []string{"a", "b", "c", "d", "e"}
	self := func(s string) string { return s }
	for _, c := range []struct {
		name  string
		r     Request
		want  string
		index int
	}{
		{"all", All(), "abcde", 0},
		{"§2.1 first", Request{Max: 2, Index: -1}, "ab", 0},
		{"§2.2 next", Request{Max: 2, After: "b", Index: -1}, "cd", 2},
		{"§2.2 behind the end", Request{Max: 2, After: "e", Index: -1}, "", Unknown},
		{"§2.3 previous", Request{Max: 2, Before: "d", Index: -1}, "bc", 1},
		{"§2.3 before the start", Request{Max: 2, Before: "a", Index: -1}, "", Unknown},
		{"§2.5 last", Request{Max: 2, Last: true, Index: -1}, "de", 3},
		{"§2.6 index", Request{Max: 2, Index: 3}, "de", 3},
		{"§2.6 index behind the end", Request{Max: 2, Index: 5}, "", Unknown},
		{"§2.7 count", Request{Max: 0, Index: -1}, "", Unknown},
		{"window", Request{Max: 9, After: "a", Before: "d", Index: -1}, "bc", 1},
		{"window from the end", Request{Max: 1, After: "a", Before: "d", Index: -1}, "c", 2},
		{"crossed window", Request{Max: 9, After: "d", Before: "b", Index: -1}, "", Unknown},
	} {
		got, a, err := List(items, self, c.r)
		if err != nil || strings.Join(got, "") != c.want || a.Count != 5 || a.Index != c.index {
			t.Errorf("%s: %v %+v %v", c.name, got, a, err)
		}
		set := a.Element()
		if set.ChildText(NS, "first") != a.First || set.ChildText(NS, "last") != a.Last || set.ChildText(NS, "count") != "5" {
			t.Errorf("%s: answer %+v is written as %v", c.name, a, set)
		}
	}
	if _, _, err := List(items, self, Request{Max: 1, After: "bb", Index: -1}); err == nil { // XEP-0059 §2.4
		t.Error("unknown id was accepted")
	}
}

func FuzzParse(f *testing.F) {
	f.Add(set("<max>10</max><after>x</after>"), 3)
	f.Add(set("<before/><index>2</index>"), 9)
	f.Add(set("<max>4294967296</max>"), 0)
	f.Fuzz(func(t *testing.T, xml string, n int) {
		e, err := stanza.ParseElement("<query xmlns='x'>"+xml+"</query>", "")
		if err != nil {
			return
		}
		r, _, err := Parse(e)
		if err != nil {
			return
		}
		items := strings.Split("abcdefghijklmnopqrstuvwxyz"[:uint(n)%26], "")
		got, a, err := List(items, func(s string) string { return s }, r)
		if err != nil {
			if gone := func(id string) bool { return id != "" && !slices.Contains(items, id) }; !gone(r.After) && !gone(r.Before) {
				t.Fatal(err)
			}
			return
		}
		if r.Max >= 0 && len(got) > r.Max || (len(got) > 0) != (a.First != "") {
			t.Fatalf("%+v gave %v, %+v", r, got, a)
		}
		a.Element()
	})
}
