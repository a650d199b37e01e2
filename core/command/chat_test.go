package command

import (
	"context"
	"strings"
	"testing"

	"github.com/dragoman-im/dragoman/core/form"
)

// survey asks one question of each type and shows what was answered.
func survey() Command {
	return Command{Node: "survey", Run: func(context.Context, Caller) (Step, error) {
		f := form.New(form.Ask, "survey", "Survey")
		f.Instructions = []string{"Answer all."}
		f.Fixed("About you")
		f.Add(form.Field{Var: "name", Type: form.TextSingle, Label: "Name", Required: true})
		f.Add(form.Field{Var: "age", Label: "Age", Desc: "In years.", Check: &form.Check{Datatype: "xs:integer", Min: "1"}})
		f.Bool("news", "News?", true)
		f.Choice("team", "Team", "", form.Option{Label: "Red", Value: "r"}, form.Option{Label: "Blue", Value: "b"})
		f.Add(form.Field{Var: "days", Type: form.ListMulti, Label: "Days", Options: []form.Option{{Value: "mo"}, {Value: "tu"}, {Value: "we"}}})
		f.Add(form.Field{Var: "friend", Type: form.JIDSingle, Label: "Friend"})
		f.Add(form.Field{Var: "secret", Type: form.TextPrivate, Label: "Secret", Values: []string{"old"}})
		f.Add(form.Field{Var: "qr", Type: form.TextSingle, Label: "Code", Media: &form.Media{URIs: []form.URI{{Type: "image/png", URI: "cid:1"}}}})
		return Ask(f, func(_ context.Context, a *form.Form) (Step, error) {
			if a.Get("qr") == "wrong" {
				return Step{}, &form.FieldError{Var: "age", Label: "Age", Problem: "cannot be"}
			}
			r := form.New(form.Result, "", "Thanks")
			for _, fd := range a.Fields {
				r.Text(fd.Var, fd.Var, strings.Join(fd.Values, "+"))
			}
			return Step{Form: r}, nil
		}), nil
	}}
}

func text(lines []Line) string {
	var all []string
	for _, l := range lines {
		s := l.Text
		if l.Media != nil {
			s += " [" + l.Media.URIs[0].URI + "]"
		}
		all = append(all, s)
	}
	return strings.Join(all, " | ")
}

func TestChat(t *testing.T) {
	t.Parallel()
	chat, lines, done, err := StartChat(t.Context(), survey(), Caller{JID: ann})
	if err != nil || done {
		t.Fatal(err, done)
	}
	got := text(lines)
	if got != "Survey | Answer all. | About you | Name" {
		t.Errorf("first: %s", got)
	}
	for _, c := range []struct{ say, want string }{
		{"-", "This is needed. | About you | Name"},
		{"back", "This is the first question. | About you | Name"},
		{"Ann", "Age\nIn years. (“-” for nothing)"},
		{"old", "Age: must be a whole number. | Age\nIn years. (“-” for nothing)"},
		{"33", "News? (yes or no; “-” for yes)"},
		{"perhaps", "News?: must be true or false. | News? (yes or no; “-” for yes)"},
		{"No", "Team\n1. Red\n2. Blue (“-” for nothing)"},
		{"green", "Team: is not one of the choices. | Team\n1. Red\n2. Blue (“-” for nothing)"},
		{"BACK", "News? (yes or no; “-” for yes)"},
		{"-", "Team\n1. Red\n2. Blue (“-” for nothing)"},
		{"blue", "Days\n1. mo\n2. tu\n3. we (several with commas; “-” for nothing)"},
		{"1, we", "Friend (“-” for nothing)"},
		{"@", "Friend: is not an XMPP address. | Friend (“-” for nothing)"},
		{"Bob@Example.org", "Secret (“-” keeps what is set)"},
		{"-", "Code (“-” for nothing) [cid:1]"},
		{"wrong", "Age: cannot be. | Age\nIn years. (“-” for 33)"}, // what was said before is remembered
		{"-", "News? (yes or no; “-” for yes)"},
		{"y", "Team\n1. Red\n2. Blue (“-” for Blue)"},
		{"1", "Days\n1. mo\n2. tu\n3. we (several with commas; “-” for mo, we)"},
		{"tu", "Friend (“-” for bob@example.org)"},
		{"-", "Secret (“-” keeps what is set)"},
		{"new", "Code (“-” for wrong) [cid:1]"},
	} {
		lines, done, err := chat.Answer(t.Context(), c.say)
		if err != nil || done || text(lines) != c.want {
			t.Fatalf("%q: %s, %v, %v\nwant %s", c.say, text(lines), done, err, c.want)
		}
	}
	lines, done, err = chat.Answer(t.Context(), "abc")
	if want := "Thanks\nname: Ann\nage: 33\nnews: 1\nteam: r\ndays: tu\nfriend: bob@example.org\nsecret: new\nqr: abc"; err != nil || !done || text(lines) != want {
		t.Errorf("%s, %v, %v\nwant %s", text(lines), done, err, want)
	}
	if lines, done, _ := chat.Answer(t.Context(), "more"); !done || lines != nil {
		t.Error("the chat goes on")
	}
}

func TestChatCancelAndWait(t *testing.T) {
	t.Parallel()
	n := 0
	chat, _, _, err := StartChat(t.Context(), login(&n), Caller{JID: ann})
	if err != nil {
		t.Fatal(err)
	}
	if lines, _, _ := chat.Answer(t.Context(), "Ann"); text(lines) != "Code for Ann (“-” for nothing)" {
		t.Error(text(lines))
	}
	if _, done, _ := chat.Answer(t.Context(), "Cancel"); !done || n != 1 {
		t.Errorf("%v, %d", done, n)
	}
	chat.Cancel()
	if n != 1 {
		t.Error("given up twice")
	}
	wait := Command{Node: "wait", Run: func(context.Context, Caller) (Step, error) {
		f := form.New(form.Ask, "", "Browser").Fixed("https://example.org/")
		return Ask(f, func(context.Context, *form.Form) (Step, error) { return Done("Linked."), nil }), nil
	}}
	chat, lines, _, err := StartChat(t.Context(), wait, Caller{JID: ann})
	if err != nil || text(lines) != "Browser | https://example.org/ | Write anything to go on, or “cancel”." {
		t.Error(text(lines), err)
	}
	if lines, done, _ := chat.Answer(t.Context(), "ok"); !done || text(lines) != "Linked." {
		t.Error(text(lines), done)
	}
}

// A wrong answer is refused when it is given, not after the last question.
func TestChatVerifiesEachAnswer(t *testing.T) {
	t.Parallel()
	var verified []string
	chat, _, _, err := StartChat(t.Context(), Command{Node: "tokens", Run: func(context.Context, Caller) (Step, error) {
		f := form.New(form.Ask, "", "Tokens")
		f.Add(form.Field{Var: "a", Label: "First", Required: true})
		f.Add(form.Field{Var: "b", Label: "Second"})
		step := Ask(f, func(context.Context, *form.Form) (Step, error) { return Done("Linked."), nil })
		step.Verify = func(_ context.Context, field, answer string) error {
			verified = append(verified, field+"="+answer)
			if answer == "bad" {
				return &form.FieldError{Var: field, Label: "First", Problem: "does not work"}
			}
			return nil
		}
		return step, nil
	}}, Caller{JID: ann})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ say, want string }{{"bad", "First: does not work. | First"}, {"good", "Second"}, {"-", "Linked."}} {
		lines, _, err := chat.Answer(t.Context(), c.say)
		if got := text(lines); err != nil || !strings.HasPrefix(got, c.want) {
			t.Errorf("%s: %q, %v, want %q", c.say, got, err, c.want)
		}
	}
	if got := strings.Join(verified, " "); got != "a=bad a=good" {
		t.Errorf("%s", got)
	}
}
