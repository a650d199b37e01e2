package command

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/core/disco"
	"github.com/dragoman-im/dragoman/core/form"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
)

var (
	gate = jid.MustParse("slack.example.org")
	ann  = jid.MustParse("ann@example.org/1")
	bob  = jid.MustParse("bob@example.org/1")
)

// login asks for a name, then for a code, and greets.
func login(cancelled *int) Command {
	return Command{
		Node: "login", Name: "Log in",
		Run: func(_ context.Context, who Caller) (Step, error) {
			first := form.New(form.Ask, "", "Log in").Add(form.Field{Var: "name", Type: form.TextSingle, Label: "Name", Required: true})
			return Step{
				Form: first, Cancel: func() { *cancelled++ },
				Then: func(_ context.Context, a *form.Form) (Step, error) {
					name := a.Get("name")
					second := form.New(form.Ask, "", "").Add(form.Field{Var: "code", Type: form.TextPrivate, Label: "Code for " + name})
					return Step{
						Form: second, Last: true, Cancel: func() { *cancelled++ },
						Then: func(_ context.Context, a *form.Form) (Step, error) {
							switch a.Get("code") {
							case "1234":
								return Done("Hello, " + name), nil
							case "boom":
								return Step{}, errors.New("broken")
							}
							return Step{}, &form.FieldError{Var: "code", Label: "Code", Problem: "is not the right one"}
						},
					}, nil
				},
			}, nil
		},
	}
}

// noted is an answer with a note, which clients that show no notes find in the form's instructions.
func noted(answer, text string) string {
	answer = strings.Replace(answer, "</actions>", "</actions><note type='error'>"+text+"</note>", 1)
	return strings.Replace(answer, "<field", "<instructions>"+text+"</instructions><field", 1)
}

func simple(node string, allowed func(context.Context, Caller) bool) Command {
	return Command{Node: node, Name: strings.ToUpper(node), Allowed: allowed, Run: func(context.Context, Caller) (Step, error) {
		return Step{Form: form.New(form.Result, "", "Table").Text("x", "X", "1")}, nil
	}}
}

type client struct {
	*testing.T
	e   *Engine
	who jid.JID
	id  string
}

// do sends one request and gives the answer's XML without namespaces, or the error.
func (c *client) do(node, action, inner string) string {
	c.Helper()
	x, err := stanza.ParseElement("<command xmlns='"+NS+"'>"+inner+"</command>", "")
	if err != nil {
		c.Fatal(err)
	}
	x.With("node", node).With("action", action).With("sessionid", c.id)
	answer, err := c.e.Handle(c.Context(), stanza.NewIQ(gate, c.who, stanza.TypeSet, x))
	if err != nil {
		var e *stanza.Error
		if !errors.As(err, &e) {
			return "fault " + err.Error()
		}
		if e.App != nil {
			return e.Condition + "/" + e.App.Local
		}
		return e.Condition
	}
	c.id = answer.Attr("sessionid")
	answer.With("sessionid", "")
	return strings.NewReplacer(" xmlns='"+NS+"'", "", " xmlns='jabber:x:data'", "", " node='"+node+"'", "").Replace(answer.String())
}

func submit(name, value string) string {
	return "<x xmlns='jabber:x:data' type='submit'><field var='" + name + "'><value>" + value + "</value></field></x>"
}

func (c *client) want(got, want string) {
	c.Helper()
	if got != want {
		c.Errorf("got  %s\nwant %s", got, want)
	}
}

const (
	askName = "<command status='executing'><actions execute='next'><next/></actions><x type='form'><title>Log in</title>" +
		"<field var='name' type='text-single' label='Name'><required/></field></x></command>"
	askCode = "<command status='executing'><actions execute='complete'><prev/><complete/></actions><x type='form'>" +
		"<field var='code' type='text-private' label='Code for Ann'/></x></command>"
)

func TestSteps(t *testing.T) {
	t.Parallel()
	gaveUp := 0
	e := NewEngine(Limits{}, nil)
	e.Add(login(&gaveUp))
	e.Add(simple("table", nil))
	c := &client{T: t, e: e, who: ann}

	c.want(c.do("table", "", ""), "<command status='completed'><x type='result'><title>Table</title><field var='x' type='text-single' label='X'><value>1</value></field></x></command>") // XEP-0050 §2.4.1
	c.id = ""
	c.want(c.do("login", "", ""), askName) // §2.4.2
	if len(c.id) < 26 {
		t.Errorf("session id %q", c.id)
	}
	c.want(c.do("login", "complete", submit("name", "Ann")), "bad-request/bad-action")
	c.want(c.do("login", "next", submit("name", "  ")), noted(askName, "Name: is needed."))
	c.want(c.do("login", "", submit("name", "Ann")), askCode)
	c.want(c.do("login", "next", ""), "bad-request/bad-action")
	c.want(c.do("login", "prev", ""), strings.Replace(askName, "<required/>", "<required/><value>Ann</value>", 1)) // remembered
	c.want(c.do("login", "prev", ""), "bad-request/bad-action")
	c.want(c.do("login", "next", submit("name", "Ann")), askCode)
	c.want(c.do("login", "complete", submit("code", "9")), noted(askCode, "Code: is not the right one."))
	c.want(c.do("login", "dance", ""), "bad-request/malformed-action") // §4.4
	c.want(c.do("login", "complete", "<x xmlns='jabber:x:data' type='odd'/>"), "bad-request/bad-payload")
	c.want(c.do("table", "", ""), "bad-request/bad-sessionid")
	other := &client{T: t, e: e, who: bob, id: c.id}
	other.want(other.do("login", "complete", submit("code", "1234")), "not-allowed/session-expired") // another's session
	c.want(c.do("login", "complete", submit("code", "1234")), "<command status='completed'><note type='info'>Hello, Ann</note></command>")
	c.want(c.do("login", "complete", submit("code", "1234")), "not-allowed/session-expired") // §3.3
	if gaveUp != 0 || e.Sessions() != 0 {
		t.Errorf("%d given up, %d left", gaveUp, e.Sessions())
	}

	c.id = ""
	c.want(c.do("login", "next", ""), askName)
	c.want(c.do("login", "cancel", ""), "<command status='canceled'/>") // §2.4.3
	if gaveUp != 1 || e.Sessions() != 0 {
		t.Errorf("%d given up, %d left", gaveUp, e.Sessions())
	}
	c.id = ""
	c.do("login", "", "")
	c.do("login", "", submit("name", "Ann"))
	c.want(c.do("login", "", submit("code", "boom")), "fault broken")
	if e.Sessions() != 0 {
		t.Error("a broken command lives on")
	}
	c.id = ""
	c.want(c.do("nothing", "", ""), "item-not-found")
	c.want(c.do("login", "prev", ""), "bad-request/bad-action")
	c.id = "made-up"
	c.want(c.do("login", "cancel", ""), "not-allowed/session-expired")
}

func TestAccess(t *testing.T) { // XEP-0050 §2.2, §4.4
	t.Parallel()
	e := NewEngine(Limits{}, nil)
	e.Add(simple("b-open", nil))
	e.Add(simple("a-closed", func(_ context.Context, who Caller) bool { return who.JID == ann }))
	r := disco.NewRegistry()
	r.AddSource(e)
	items := func(who jid.JID) string {
		got, err := r.Items(t.Context(), disco.Query{To: gate, From: who, Node: NS})
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprint(got)
	}
	if got := items(ann); !strings.Contains(got, "a-closed") || strings.Index(got, "A-CLOSED") > strings.Index(got, "B-OPEN") {
		t.Error(got)
	}
	if got := items(bob); strings.Contains(got, "closed") {
		t.Error(got)
	}
	c := &client{T: t, e: e, who: bob}
	c.want(c.do("a-closed", "", ""), "forbidden")
	if _, err := r.Info(t.Context(), disco.Query{To: gate, From: bob, Node: "a-closed"}); fmt.Sprint(err) != "forbidden: This command is not for you." {
		t.Error(err)
	}
	info, err := r.Info(t.Context(), disco.Query{To: gate, From: bob, Node: "b-open"})
	if err != nil || !info.Has(NS) || info.Identities[0].Type != "command-node" {
		t.Errorf("%+v %v", info, err)
	}
	e.Remove("b-open")
	if got := items(bob); got != "[]" {
		t.Error(got)
	}
}

// Whoever loses the right to run a command cannot finish one that has begun.
func TestRightTakenAway(t *testing.T) {
	t.Parallel()
	cancelled, allowed := 0, true
	e := NewEngine(Limits{}, nil)
	l := login(&cancelled)
	l.Allowed = func(context.Context, Caller) bool { return allowed }
	e.Add(l)
	c := &client{T: t, e: e, who: ann}
	c.want(c.do("login", "", ""), askName)
	allowed = false
	c.want(c.do("login", "next", submit("name", "Ann")), "forbidden")
	allowed = true
	c.want(c.do("login", "next", submit("name", "Ann")), "not-allowed/session-expired")
	if cancelled != 1 {
		t.Errorf("cancelled %d times", cancelled)
	}
}

func TestLimits(t *testing.T) {
	t.Parallel()
	now := time.Unix(1e9, 0)
	gaveUp := 0
	e := NewEngine(Limits{Timeout: time.Minute, PerUser: 2, Total: 3}, func() time.Time { return now })
	e.Add(login(&gaveUp))
	start := func(who jid.JID) (*client, string) {
		c := &client{T: t, e: e, who: who}
		return c, c.do("login", "", "")
	}
	oldest, _ := start(ann)
	now = now.Add(time.Second)
	newer, _ := start(ann)
	start(ann)
	if e.Sessions() != 2 || gaveUp != 1 {
		t.Errorf("%d sessions, %d given up", e.Sessions(), gaveUp)
	}
	oldest.want(oldest.do("login", "cancel", ""), "not-allowed/session-expired")
	newer.want(newer.do("login", "", submit("name", "Ann")), askCode)
	start(bob)
	c, got := start(jid.MustParse("eve@example.org/1"))
	c.want(got, "resource-constraint")
	now = now.Add(2 * time.Minute)
	if e.Sessions() != 0 || gaveUp != 4 {
		t.Errorf("%d sessions, %d given up", e.Sessions(), gaveUp)
	}
}

func TestOneStepAtATime(t *testing.T) {
	t.Parallel()
	e := NewEngine(Limits{}, nil)
	entered, leave := make(chan bool), make(chan bool)
	e.Add(Command{Node: "slow", Run: func(context.Context, Caller) (Step, error) {
		return Step{Last: true, Then: func(context.Context, *form.Form) (Step, error) {
			entered <- true
			<-leave
			return Done("ok"), nil
		}}, nil
	}})
	c := &client{T: t, e: e, who: ann}
	c.do("slow", "", "")
	result := make(chan string)
	go func() {
		d := *c
		result <- d.do("slow", "complete", "")
	}()
	<-entered
	c.want(c.do("slow", "complete", ""), "unexpected-request")
	c.want(c.do("slow", "cancel", ""), "unexpected-request")
	leave <- true
	c.want(<-result, "<command status='completed'><note type='info'>ok</note></command>")
}

func FuzzHandle(f *testing.F) {
	f.Add("<command xmlns='"+NS+"' node='login' action='next'>"+submit("name", "x")+"</command>", "<command xmlns='"+NS+"' node='login' action='prev'/>")
	f.Fuzz(func(t *testing.T, one, two string) {
		n := 0
		e := NewEngine(Limits{PerUser: 2, Total: 2}, nil)
		e.Add(login(&n))
		id := ""
		for _, s := range []string{one, two, one} {
			x, err := stanza.ParseElement(s, "")
			if err != nil {
				return
			}
			x.With("sessionid", id)
			answer, err := e.Handle(t.Context(), stanza.NewIQ(gate, ann, stanza.TypeSet, x))
			if (answer == nil) == (err == nil) || e.Sessions() > 1 {
				t.Fatalf("%v, %v, %d sessions", answer, err, e.Sessions())
			}
			if answer != nil {
				id = answer.Attr("sessionid")
			}
		}
	})
}

// The rows of a table are fields: Gajim 1.7 shows nothing of a form with a table, and waits for ever.
func TestTables(t *testing.T) {
	t.Parallel()
	jidColumn := form.Field{Var: "jid", Type: form.JIDSingle, Label: "Address"}
	name, at := form.Field{Var: "name", Label: "Name"}, form.Field{Var: "at", Label: "At"}
	cell := func(name, value string) form.Field { return form.Field{Var: name, Values: []string{value}} }
	for _, test := range []struct {
		head []form.Field
		want string
	}{
		{[]form.Field{jidColumn, name, at}, "<field var='row1' type='jid-single' label='General · noon'><value>general@example.org</value></field>"},
		{[]form.Field{name, jidColumn, at}, "<field type='fixed'><value>General · general@example.org · noon</value></field>"},
	} {
		f := form.New(form.Result, "", "Rooms")
		f.Reported = test.head
		f.Items = [][]form.Field{{cell("name", "General"), cell("jid", "general@example.org"), cell("at", "noon")}}
		e := NewEngine(Limits{}, nil)
		e.Add(Command{Node: "rooms", Name: "Rooms", Run: func(context.Context, Caller) (Step, error) { return Step{Form: f}, nil }})
		c := &client{T: t, e: e, who: ann}
		c.want(c.do("rooms", "", ""), "<command status='completed'><x type='result'><title>Rooms</title>"+test.want+"</x></command>")
		if len(f.Items) != 1 {
			t.Error("the form of the step was changed")
		}
	}
}
