package content

import (
	"strconv"
	"strings"
	"time"

	"github.com/dragoman-im/dragoman/transports/richtext"
)

// choice is what can be pressed, chosen or entered, and what is chosen already (docs: Block elements).
type choice struct {
	Options       []option `json:"options"`
	OptionGroups  []option `json:"option_groups"`
	Initial       *option  `json:"initial_option"`
	InitialValue  rawJSON  `json:"initial_value"`
	InitialDate   string   `json:"initial_date"`
	InitialTime   string   `json:"initial_time"`
	InitialMoment int64    `json:"initial_date_time"`
	several
	Positive *block     `json:"positive_button"`
	Negative *block     `json:"negative_button"`
	Element  *block     `json:"element"` // of an input
	Hint     textObject `json:"hint"`
}

// several is what is chosen where that can be more than one.
type several struct {
	Chosen   []option `json:"initial_options"`
	Users    []string `json:"initial_users"`
	Channels []string `json:"initial_channels"`
	Talks    []string `json:"initial_conversations"`
	User     string   `json:"initial_user"`
	Channel  string   `json:"initial_channel"`
	Talk     string   `json:"initial_conversation"`
}

// option is what can be chosen, or a group of it.
type option struct {
	Text        textObject `json:"text"`
	Label       textObject `json:"label"` // of a group
	Description textObject `json:"description"`
	Value       string     `json:"value"`
	URL         string     `json:"url"`
	Options     []option   `json:"options"`
}

// interactive reports whether an element is there to be chosen or pressed, which cannot be done from here.
func interactive(typ string) bool {
	switch typ {
	case "button", "workflow_button", "icon_button", "feedback_buttons", "overflow", "checkboxes", "radio_buttons":
		return true
	}
	return strings.HasSuffix(typ, "_select") || strings.HasSuffix(typ, "picker") || strings.HasSuffix(typ, "_input")
}

// choices shows what can be pressed or chosen.
func (r *Reader) choices(b *block) (t richtext.Text) {
	switch b.Type {
	case "checkboxes", "radio_buttons":
		return r.boxes(b)
	case "feedback_buttons":
		for _, button := range []*block{b.Positive, b.Negative} {
			if button != nil {
				t = spaced(t, bracketed(r.object(button.Text)))
			}
		}
		return t
	case "overflow":
		for i := range b.Options[:min(len(b.Options), maxBlocks)] {
			t = spaced(t, r.option(&b.Options[i]))
		}
		return t
	}
	if b.URL != "" {
		return r.linked(b.URL, b.Text.Text)
	}
	if t = r.object(b.Text); t.IsEmpty() { // a list, or a field
		if t = r.chosen(b); t.IsEmpty() {
			t = r.object(b.Placeholder)
		}
	}
	if t.IsEmpty() {
		t = richtext.FromPlain(strings.ReplaceAll(b.Type, "_", " "))
	}
	return bracketed(t)
}

// option is one of several things that can be chosen.
func (r *Reader) option(o *option) richtext.Text {
	if webAddress(o.URL) {
		return r.linked(o.URL, o.Text.Text)
	}
	return bracketed(r.object(o.Text))
}

// boxes are boxes to be ticked, of which some are already.
func (r *Reader) boxes(b *block) (t richtext.Text) {
	ticked := map[string]bool{}
	if b.Initial != nil {
		ticked[b.Initial.Value+b.Initial.Text.Text] = true
	}
	for _, o := range b.Chosen[:min(len(b.Chosen), maxBlocks)] {
		ticked[o.Value+o.Text.Text] = true
	}
	for _, o := range b.Options[:min(len(b.Options), maxBlocks)] {
		box := "☐ "
		if ticked[o.Value+o.Text.Text] {
			box = "☑ "
		}
		line := append(richtext.Text{{Text: box}}, r.object(o.Text)...)
		if o.Description.Text != "" {
			line = append(append(line, richtext.Node{Text: ": "}), r.object(o.Description)...)
		}
		t = appendLine(t, line)
	}
	return t
}

// chosen is what is chosen or entered already.
func (r *Reader) chosen(b *block) (t richtext.Text) {
	if b.Initial != nil {
		t = spaced(t, r.object(b.Initial.Text))
	}
	for _, o := range b.Chosen[:min(len(b.Chosen), maxBlocks)] {
		t = spaced(t, r.object(o.Text))
	}
	for _, id := range append(b.Users[:min(len(b.Users), maxBlocks):min(len(b.Users), maxBlocks)], b.User) {
		if id != "" {
			t = spaced(t, richtext.Text{r.mention(id, "")})
		}
	}
	for _, list := range [][]string{b.Channels, b.Talks, {b.Channel, b.Talk}} {
		for _, id := range list[:min(len(list), maxBlocks)] {
			if id != "" {
				t = spaced(t, richtext.Text{r.channelNode(id, "")})
			}
		}
	}
	if b.InitialMoment > 0 && b.InitialMoment < maxUnix {
		t = spaced(t, richtext.FromPlain(time.Unix(b.InitialMoment, 0).UTC().Format(clock)))
	}
	for _, value := range []string{b.InitialDate, b.InitialTime} {
		if value != "" {
			t = spaced(t, richtext.FromPlain(value))
		}
	}
	if value, err := strconv.Unquote(string(b.InitialValue)); err == nil && value != "" {
		return spaced(t, richtext.FromPlain(Emojis(value)))
	}
	return append(t, r.richText(b.InitialValue)...)
}

// input is a field of a form with its label.
func (r *Reader) input(b *block, depth int) richtext.Text {
	t := r.object(b.Label)
	if b.Element != nil {
		field := r.block(b.Element, depth)
		if len(t) > 0 && len(field) > 0 && !field[0].Kind.Block() {
			t = append(t, richtext.Node{Text: ": "})
		}
		t = append(t, field...)
	}
	return appendLine(t, r.object(b.Hint))
}

// spaced appends a text behind a blank.
func spaced(t, more richtext.Text) richtext.Text {
	if len(t) > 0 && len(more) > 0 {
		t = append(t, richtext.Node{Text: " "})
	}
	return append(t, more...)
}

// bracketed marks what can be pressed or chosen.
func bracketed(t richtext.Text) richtext.Text {
	if t.IsEmpty() {
		return nil
	}
	return append(append(richtext.Text{{Text: "["}}, t...), richtext.Node{Text: "]"})
}
