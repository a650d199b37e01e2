package command

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/dragoman-im/dragoman/core/form"
)

// formText returns the text of a form before its questions, or all of a result.
func formText(f *form.Form) []Line {
	var lines []Line
	if f.Title != "" {
		lines = append(lines, Line{Text: f.Title})
	}
	for _, i := range f.Instructions {
		lines = append(lines, Line{Text: i})
	}
	if f.Kind == form.Ask {
		return lines
	}
	for i := range f.Fields {
		lines = append(lines, fieldText(&f.Fields[i])...)
	}
	for _, row := range f.Items {
		lines = append(lines, Line{Text: tableRow(f.Reported, row)})
	}
	return lines
}

// fieldText returns the text of a field that is not a question.
func fieldText(fd *form.Field) []Line {
	if fd.Type == form.Hidden || fd.Var == form.TypeVar {
		return nil
	}
	text := make([]string, len(fd.Values))
	for i, v := range fd.Values {
		text[i] = fd.OptionLabel(v)
	}
	line := strings.Join(text, "\n")
	if fd.Label != "" {
		line = fd.Label + ": " + line
	}
	if line == "" && fd.Media == nil {
		return nil
	}
	return []Line{{Text: line, Media: fd.Media}}
}

func tableRow(head, row []form.Field) string {
	var cells []string
	for _, h := range head {
		for i := range row {
			if row[i].Var == h.Var && row[i].Value() != "" && h.Type != form.Hidden {
				cells = append(cells, h.OptionLabel(row[i].Lines()))
			}
		}
	}
	return strings.Join(cells, " · ")
}

// parseAnswer converts an answer to field values: yes and no, the number or label of an option, several
// values separated by commas or line breaks.
func parseAnswer(fd *form.Field, text string) []string {
	switch fd.Type {
	case form.Boolean:
		switch strings.ToLower(text) {
		case "y", "yes", "on", "true", "1":
			return []string{"1"}
		case "n", "no", "off", "false", "0":
			return []string{"0"}
		}
		return []string{text}
	case form.ListSingle:
		return []string{optionValue(fd, text)}
	case form.ListMulti, form.JIDMulti:
		var list []string
		for _, part := range strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == '\n' }) {
			list = append(list, optionValue(fd, strings.TrimSpace(part)))
		}
		return list
	}
	return []string{text}
}

// optionValue returns the value of the option with that value, label or number; other text unchanged.
func optionValue(fd *form.Field, text string) string {
	for _, o := range fd.Options {
		if o.Value == text || strings.EqualFold(o.Label, text) {
			return o.Value
		}
	}
	if n, err := strconv.Atoi(text); err == nil && n >= 1 && n <= len(fd.Options) {
		return fd.Options[n-1].Value
	}
	return text
}

// question returns the current question: the fixed texts before it, the label, the options and the
// default.
func (c *Chat) question() []Line {
	fd := c.current()
	if fd == nil {
		return append(c.textBefore(len(c.step.fields())), Line{Text: "Write anything to go on, or “cancel”."})
	}
	at := c.asked[len(c.asked)-1]
	text := fd.Label
	if text == "" {
		text = fd.Var
	}
	if fd.Desc != "" {
		text += "\n" + fd.Desc
	}
	for i, o := range fd.Options {
		label := o.Label
		if label == "" {
			label = o.Value
		}
		text += fmt.Sprintf("\n%d. %s", i+1, label)
	}
	return append(c.textBefore(at), Line{Text: text + hint(fd), Media: fd.Media})
}

// textBefore returns the text between the previous question and the field at index at.
func (c *Chat) textBefore(at int) []Line {
	fields := c.step.fields()
	first := at
	for first > 0 && !isQuestion(&fields[first-1]) {
		first--
	}
	var lines []Line
	for i := first; i < at; i++ {
		lines = append(lines, fieldText(&fields[i])...)
	}
	return lines
}

func (st *Step) fields() []form.Field {
	if st.Form == nil {
		return nil
	}
	return st.Form.Fields
}

// hint returns an explanation of how to answer.
func hint(fd *form.Field) string {
	var hints []string
	if fd.Type == form.Boolean {
		hints = append(hints, "yes or no")
	}
	if len(fd.Options) > 0 && fd.Type == form.ListMulti {
		hints = append(hints, "several with commas")
	}
	switch {
	case len(fd.Values) > 0 && fd.Type == form.TextPrivate:
		hints = append(hints, "“-” keeps what is set")
	case len(fd.Values) > 0 && fd.Type == form.Boolean:
		hints = append(hints, map[bool]string{true: "“-” for yes", false: "“-” for no"}[fd.Value() == "1" || fd.Value() == "true"])
	case len(fd.Values) > 0:
		var chosen []string
		for _, v := range fd.Values {
			chosen = append(chosen, fd.OptionLabel(v))
		}
		hints = append(hints, "“-” for "+truncate(strings.Join(chosen, ", ")))
	case !fd.Required:
		hints = append(hints, "“-” for nothing")
	}
	if len(hints) == 0 {
		return ""
	}
	return " (" + strings.Join(hints, "; ") + ")"
}

// truncate limits the length of a default in a hint.
func truncate(s string) string {
	const longest = 80
	if r := []rune(s); len(r) > longest {
		return string(r[:longest]) + "…"
	}
	return s
}
