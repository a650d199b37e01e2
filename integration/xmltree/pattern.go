package xmltree

import (
	"fmt"
	"maps"
	"regexp"
	"strings"
)

// Bindings are the values of names: what a scenario was given and what it captured.
type Bindings map[string]string

// maybe is the attribute value that also matches a missing attribute.
const maybe = "{any?}"

// piece is a part of a pattern: literal text or a name in braces.
type piece struct {
	text string
	name bool
}

// split cuts a pattern into its pieces.
func split(pattern string) ([]piece, error) {
	var pieces []piece
	var text strings.Builder
	for rest := pattern; rest != ""; {
		switch {
		case strings.HasPrefix(rest, "{{"), strings.HasPrefix(rest, "}}"):
			text.WriteByte(rest[0])
			rest = rest[2:]
		case rest[0] == '{':
			end := strings.IndexByte(rest, '}')
			if end < 2 {
				return nil, fmt.Errorf("brace without a name in %q", pattern)
			}
			if text.Len() > 0 {
				pieces = append(pieces, piece{text: text.String()})
				text.Reset()
			}
			pieces = append(pieces, piece{text: rest[1:end], name: true})
			rest = rest[end+1:]
		default:
			text.WriteByte(rest[0])
			rest = rest[1:]
		}
	}
	if text.Len() > 0 {
		pieces = append(pieces, piece{text: text.String()})
	}
	return pieces, nil
}

// Expand puts the bound values in place of the names. Values are escaped for XML if
// escaped is set. An unbound name is an error.
func (b Bindings) Expand(text string, escaped bool) (string, error) {
	pieces, err := split(text)
	if err != nil {
		return "", err
	}
	var out strings.Builder
	for _, p := range pieces {
		value := p.text
		if p.name {
			var ok bool
			if value, ok = b[p.text]; !ok {
				return "", fmt.Errorf("{%s} has no value yet", p.text)
			}
			if escaped {
				value = escape(value)
			}
		}
		out.WriteString(value)
	}
	return out.String(), nil
}

// matchValue compares a value with a pattern and binds the names that were free.
func (b Bindings) matchValue(pattern, value string) error {
	pieces, err := split(pattern)
	if err != nil {
		return err
	}
	var expr strings.Builder
	var free []string
	expr.WriteString(`(?s)\A`)
	for _, p := range pieces {
		bound, ok := b[p.text]
		switch {
		case !p.name:
			expr.WriteString(regexp.QuoteMeta(p.text))
		case p.text == "any":
			expr.WriteString(`.*?`)
		case ok:
			expr.WriteString(regexp.QuoteMeta(bound))
		default:
			free = append(free, p.text)
			expr.WriteString(`(.+?)`)
		}
	}
	expr.WriteString(`\z`)
	found := regexp.MustCompile(expr.String()).FindStringSubmatch(value)
	if found == nil {
		return fmt.Errorf("is %q, want %q%s", value, pattern, b.explain(pieces))
	}
	for i, name := range free {
		if old, ok := b[name]; ok && old != found[i+1] {
			return fmt.Errorf("is %q, want %q with {%s} the same throughout", value, pattern, name)
		}
		b[name] = found[i+1]
	}
	return nil
}

// explain says what the bound names of a pattern stand for.
func (b Bindings) explain(pieces []piece) string {
	var notes []string
	for _, p := range pieces {
		if value, ok := b[p.text]; p.name && ok {
			notes = append(notes, fmt.Sprintf("{%s} is %q", p.text, value))
		}
	}
	if notes == nil {
		return ""
	}
	return " (" + strings.Join(notes, ", ") + ")"
}

// clone is a copy that a trial may change.
func (b Bindings) clone() Bindings { return maps.Clone(b) }

// take makes b equal to the copy of a trial that succeeded.
func (b Bindings) take(trial Bindings) { maps.Copy(b, trial) }
