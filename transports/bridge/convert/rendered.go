package convert

import (
	"cmp"
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/transports/richtext"
)

// Rendered is the text of a message, and where in it there is what.
type Rendered struct {
	Text   string
	Ranges []richtext.Range
}

// behind is the text behind another one.
func (s Rendered) behind(lead string) Rendered {
	n := utf8.RuneCountInString(lead)
	ranges := slices.Clone(s.Ranges)
	for i := range ranges {
		ranges[i].Begin += n
		ranges[i].End += n
	}
	return Rendered{lead + s.Text, ranges}
}

// maxRanges is how many ranges of a text are described. Of a text with more, only the directives in it say what is where.
const maxRanges = 200

// spanNames are the names of spans (XEP-0394 §4.1).
var spanNames = map[richtext.Kind]string{
	richtext.Bold: "strong", richtext.Heading: "strong", richtext.Italic: "emphasis", richtext.Under: "emphasis", richtext.Strike: "deleted", richtext.Code: "code",
}

// markup describes the text for clients that know XEP-0394; nil where it is plain.
func (s Rendered) markup() *stanza.Element {
	if len(s.Ranges) > maxRanges {
		return nil
	}
	content := s.spans()
	for i, p := range s.Ranges {
		switch p.Node.Kind {
		case richtext.Pre: // XEP-0394 §4.2
			e := ranged("bcode", p.Begin, p.End)
			if p.Node.ID != "" {
				e.With("language", p.Node.ID)
			}
			content = append(content, e)
		case richtext.Quote: // XEP-0394 §4.4
			content = append(content, ranged("bquote", p.Begin, p.End))
		case richtext.List: // XEP-0394 §4.3
			e := ranged("list", p.Begin, p.End).With("ordered", strconv.FormatBool(p.Node.Level > 0))
			for _, start := range s.items(i) {
				e.Add(stanza.NewElement(NSMarkup, "li").With("start", strconv.Itoa(start)))
			}
			content = append(content, e)
		}
	}
	if len(content) == 0 {
		return nil
	}
	return stanza.NewElement(NSMarkup, "markup").Add(content...)
}

func ranged(name string, begin, end int) *stanza.Element {
	return stanza.NewElement(NSMarkup, name).With("start", strconv.Itoa(begin)).With("end", strconv.Itoa(end))
}

// items are the beginnings of the items of a list: those within it that are in no list within it.
func (s Rendered) items(list int) (starts []int) {
	inner := 0 // until where a list within it goes
	outer := s.Ranges[list]
	for i, p := range s.Ranges {
		switch {
		case i == list || p.Begin < outer.Begin || p.End > outer.End || p.Begin < inner:
		case p.Node.Kind == richtext.List:
			inner = p.End
		case p.Node.Kind == richtext.Item:
			starts = append(starts, p.Begin)
		}
	}
	return starts
}

// spans are the ranges of inline markup. They may not overlap (XEP-0394 §5), so that one has the names of all that hold there.
func (s Rendered) spans() (list []*stanza.Element) {
	type edge struct {
		at, by int
		name   string
	}
	var edges []edge
	for _, p := range s.Ranges {
		if name := spanNames[p.Node.Kind]; name != "" {
			edges = append(edges, edge{p.Begin, 1, name}, edge{p.End, -1, name})
		}
	}
	slices.SortStableFunc(edges, func(a, b edge) int { return cmp.Compare(a.at, b.at) })
	open := map[string]int{}
	for i, e := range edges {
		if open[e.name] += e.by; open[e.name] == 0 {
			delete(open, e.name)
		}
		if i+1 == len(edges) || edges[i+1].at == e.at || len(open) == 0 {
			continue
		}
		x := ranged("span", e.at, edges[i+1].at)
		for _, name := range []string{"strong", "emphasis", "deleted", "code"} {
			if open[name] > 0 {
				x.Add(stanza.NewElement(NSMarkup, name))
			}
		}
		list = append(list, x)
	}
	return list
}
