package richtext

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"

	"mellium.im/xmpp/styling"
)

// styledRun is a piece of text and the spans that it is in.
type styledRun struct {
	text  string
	spans string // of "*_~`", sorted as they are there
}

// runsOf are the pieces of a text, without empty ones and with neighbours of the same spans joined.
type runsOf []styledRun

func (r *runsOf) add(text, spans string) {
	switch n := len(*r); {
	case text == "":
	case n > 0 && (*r)[n-1].spans == spans:
		(*r)[n-1].text += text
	default:
		*r = append(*r, styledRun{text, spans})
	}
}

// melliumRuns are the runs of one line of spans as mellium reads it.
func melliumRuns(t *testing.T, line string) (runs runsOf) {
	t.Helper()
	d := styling.NewDecoder(strings.NewReader(line))
	for d.Next() {
		token := d.Token()
		if token.Mask&(styling.SpanStartDirective|styling.SpanEndDirective) != 0 {
			continue
		}
		spans := ""
		for _, s := range []struct {
			style styling.Style
			mark  string
		}{{styling.SpanStrong, "*"}, {styling.SpanEmph, "_"}, {styling.SpanStrike, "~"}, {styling.SpanPre, "`"}} {
			if token.Mask&s.style != 0 {
				spans += s.mark
			}
		}
		runs.add(string(token.Data), spans)
	}
	if err := d.Err(); err != nil && !errors.Is(err, io.EOF) {
		t.Fatal(err)
	}
	return runs
}

// ownRuns are the runs of one line as ParseStyling reads it.
func ownRuns(line string) (runs runsOf) {
	var walk func(t Text, in map[Kind]bool)
	walk = func(t Text, in map[Kind]bool) {
		for _, n := range t {
			spans := ""
			for _, k := range []Kind{Bold, Italic, Strike, Code} {
				if in[k] || n.Kind == k {
					spans += map[Kind]string{Bold: "*", Italic: "_", Strike: "~", Code: "`"}[k]
				}
			}
			switch n.Kind {
			case Plain, Code:
				runs.add(n.Text, spans)
			default:
				inner := map[Kind]bool{n.Kind: true}
				for k := range in {
					inner[k] = true
				}
				walk(n.Children, inner)
			}
		}
	}
	walk(ParseStyling(line), nil)
	return runs
}

// styledLine makes a line of words and spans of random bytes. It has no directive directly behind another one that closes, nor one that
// could open a second span of a kind: there mellium reads other spans than XEP-0393 §6.2 has.
func styledLine(random []byte) string {
	next := func() byte {
		if len(random) == 0 {
			return 0
		}
		c := random[0]
		random = random[1:]
		return c
	}
	var line func(marks string) string
	line = func(marks string) string {
		var items []string
		for n := 1 + next()%4; n > 0; n-- {
			word := []string{"a", "bé", "c*d", "e_f", "g~h", "x.", "1 2", "日本"}[next()%8]
			if k := int(next() % 6); k < len(marks) {
				mark := marks[k : k+1]
				if mark == "`" {
					items = append(items, mark+"a*b _c_"+mark+".")
					continue
				}
				items = append(items, mark+line(strings.Replace(marks, mark, "", 1))+mark)
				continue
			}
			items = append(items, word)
		}
		return strings.Join(items, " ")
	}
	return line("*_~`")
}

var melliumDiffers = regexp.MustCompile("[*_~`]{2}")

func checkMellium(t *testing.T, line string) {
	t.Helper()
	if melliumDiffers.MatchString(line) {
		return
	}
	if want, got := fmt.Sprintf("%q", melliumRuns(t, line)), fmt.Sprintf("%q", ownRuns(line)); got != want {
		t.Fatalf("%q: %s, mellium reads %s", line, got, want)
	}
}

// Spans are those of mellium's decoder, which is another implementation of XEP-0393.
func TestSpansAreThoseOfMellium(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(3, 4))
	for range 20_000 {
		b := make([]byte, random.IntN(30))
		for i := range b {
			b[i] = byte(random.Uint32())
		}
		checkMellium(t, styledLine(b))
	}
}

func FuzzSpansAreThoseOfMellium(f *testing.F) {
	f.Add([]byte("a seed"))
	f.Fuzz(func(t *testing.T, random []byte) { checkMellium(t, styledLine(random)) })
}
