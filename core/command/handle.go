package command

import (
	"context"
	"errors"
	"slices"
	"strconv"

	"github.com/dragoman-im/dragoman/core/form"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// Actions of a request, and states of an answer (XEP-0050 §4.1).
const (
	actionExecute  = "execute"
	actionNext     = "next"
	actionPrev     = "prev"
	actionComplete = "complete"
	actionCancel   = "cancel"

	statusExecuting = "executing"
	statusCompleted = "completed"
	statusCanceled  = "canceled"
)

// Handle answers an IQ set with a <command/>. A *stanza.Error is for the requester; any other error is a
// failure of the command, which has ended it.
func (e *Engine) Handle(ctx context.Context, iq *stanza.Stanza) (*stanza.Element, error) {
	x := iq.FirstChild()
	if iq.Type != stanza.TypeSet || !x.Is(NS, "command") {
		return nil, stanza.BadRequest("This is no command.")
	}
	action := x.Attr("action")
	switch action {
	case "":
		action = actionExecute
	case actionExecute, actionNext, actionPrev, actionComplete, actionCancel:
	default:
		return nil, failure(stanza.BadRequest("There is no such action."), "malformed-action")
	}
	lang := x.Lang()
	if lang == "" {
		lang = iq.Lang
	}
	who := Caller{JID: iq.From, To: iq.To, Lang: lang}
	id := x.Attr("sessionid")
	if id == "" {
		return e.start(ctx, x, action, who)
	}
	s, err := e.acquire(id, iq.From, x.Attr("node"))
	if err != nil {
		return nil, err
	}
	if err := e.recheck(ctx, s); err != nil {
		return nil, err
	}
	step, end, err := s.handleAction(ctx, action, x)
	e.release(s, end)
	switch {
	case err != nil:
		return nil, err
	case action == actionCancel:
		return s.answer(Step{}, statusCanceled), nil // XEP-0050 §2.4.3
	case end:
		return s.answer(step, statusCompleted), nil
	}
	return s.answer(step, statusExecuting), nil
}

func (e *Engine) start(ctx context.Context, x *stanza.Element, action string, who Caller) (*stanza.Element, error) {
	c, err := e.Command(ctx, x.Attr("node"), who)
	if err != nil {
		return nil, err
	}
	if action != actionExecute && action != actionNext && action != actionComplete {
		return nil, failure(stanza.BadRequest("This command has not begun."), "bad-action")
	}
	s, err := e.open(&c, who)
	if err != nil {
		return nil, err
	}
	step, err := c.Run(ctx, who)
	end := err != nil || step.Then == nil
	s.steps = []Step{step}
	if f := x.Child(form.NS, "x"); c.Direct && !end && f != nil && f.Attr("type") == string(form.Submit) {
		step, end, err = s.handleAction(ctx, actionExecute, x)
		end = end || err != nil
	}
	e.release(s, end)
	switch {
	case err != nil:
		return nil, asError(err)
	case end:
		return s.answer(step, statusCompleted), nil // XEP-0050 §2.4.1
	}
	return s.answer(step, statusExecuting), nil
}

// handleAction performs an action in an acquired session; end means that the session has ended.
func (s *session) handleAction(ctx context.Context, action string, x *stanza.Element) (step Step, end bool, err error) {
	now := &s.steps[len(s.steps)-1]
	switch action {
	case actionCancel:
		s.cancel()
		return Step{}, true, nil
	case actionPrev:
		if !s.canGoBack() {
			return Step{}, false, failure(stanza.BadRequest("There is no way back from here."), "bad-action")
		}
		s.steps = s.steps[:len(s.steps)-1]
		return s.steps[len(s.steps)-1], false, nil
	case actionNext:
		if now.Last {
			return Step{}, false, failure(stanza.BadRequest("There is no step behind this one."), "bad-action")
		}
	case actionComplete:
		if !now.Last {
			return Step{}, false, failure(stanza.BadRequest("There is another step to come."), "bad-action")
		}
	}
	given, err := now.read(x)
	if err != nil {
		return Step{}, false, err
	}
	next, err := now.submit(ctx, given)
	var wrong *form.FieldError
	switch {
	case errors.As(err, &wrong):
		// The step is repeated with a note: most clients end the dialogue at an error.
		again := *now
		again.Notes = []Note{{Failure, wrong.Error()}}
		return again, false, nil
	case err != nil:
		return Step{}, true, err
	case next.Then == nil:
		return next, true, nil
	}
	s.steps = append(s.steps, next)
	if len(s.steps) > maxSteps {
		s.steps = s.steps[1:]
	}
	return next, false, nil
}

// read returns the submitted form of a request.
func (st *Step) read(x *stanza.Element) (*form.Form, error) {
	e := x.Child(form.NS, "x")
	if st.Form == nil || e == nil {
		return &form.Form{Kind: form.Submit}, nil
	}
	f, err := form.Parse(e) // a form of type cancel counts as one of type submit (XEP-0050 §3.5.1)
	if err != nil {
		return nil, failure(stanza.BadRequest("The form cannot be read."), "bad-payload")
	}
	return f, nil
}

// submit checks the answers and calls Then.
func (st *Step) submit(ctx context.Context, given *form.Form) (Step, error) {
	answers := given
	if st.Form != nil {
		var err error
		if answers, err = st.Form.Accept(given); err != nil {
			return Step{}, err
		}
		st.keepAnswers(answers)
	}
	return st.Then(ctx, answers)
}

// keepAnswers stores the answers in the form, to be shown again after "prev" (XEP-0050 §2.4.2). Passwords
// are not shown again.
func (st *Step) keepAnswers(answers *form.Form) {
	f := *st.Form
	f.Fields = append([]form.Field(nil), f.Fields...)
	for i := range f.Fields {
		if a := answers.Field(f.Fields[i].Var); a != nil && f.Fields[i].Type != form.TextPrivate {
			f.Fields[i].Values = a.Values
		}
	}
	st.Form = &f
}

func (s *session) canGoBack() bool { return len(s.steps) > 1 && !s.steps[len(s.steps)-1].NoBack }

// answer returns the <command/> of a result.
func (s *session) answer(step Step, status string) *stanza.Element {
	x := stanza.NewElement(NS, "command").With("node", s.command.Node).With("sessionid", s.id).With("status", status)
	if status == statusExecuting {
		x.Add(s.actions(step))
	}
	for _, n := range step.Notes {
		x.Add(stanza.TextElement(NS, "note", n.Text).With("type", string(n.Type)))
	}
	if step.Form != nil {
		x.Add(step.shownForm().Element())
	}
	return x.Add(step.Payload...)
}

// shownForm returns the form of a step as it is sent. Clients of today show less than XEP-0050 and XEP-0004 have: profanity
// shows no notes while a command runs, and Gajim 1.7 shows nothing of a form with a table, and waits for ever. So notes are
// instructions too, and the rows of a table are fields.
func (st *Step) shownForm() *form.Form {
	f := *st.Form
	if len(st.Notes) > 0 {
		f.Instructions = nil
		for _, n := range st.Notes {
			f.Instructions = append(f.Instructions, n.Text)
		}
		f.Instructions = append(f.Instructions, st.Form.Instructions...)
	}
	if len(f.Reported) > 0 && !st.Table {
		f.Fields = slices.Clone(f.Fields)
		for i, row := range f.Items {
			f.Fields = append(f.Fields, rowField(f.Reported, row, "row"+strconv.Itoa(i+1)))
		}
		f.Reported, f.Items = nil, nil
	}
	return &f
}

// rowField returns the row of a table as one field: an address with the other columns as its label, or else a text.
func rowField(head, row []form.Field, name string) form.Field {
	if head[0].Type == form.JIDSingle {
		for i := range row {
			if row[i].Var == head[0].Var {
				return form.Field{Var: name, Type: form.JIDSingle, Label: tableRow(head[1:], row), Values: row[i].Values}
			}
		}
	}
	return form.Field{Type: form.Fixed, Values: []string{tableRow(head, row)}}
}

// actions returns the allowed actions (XEP-0050 §4.2).
func (s *session) actions(step Step) *stanza.Element {
	forward := actionNext
	if step.Last {
		forward = actionComplete
	}
	a := stanza.NewElement(NS, "actions").With("execute", forward)
	if s.canGoBack() {
		a.Add(stanza.NewElement(NS, actionPrev))
	}
	return a.Add(stanza.NewElement(NS, forward))
}

// asError converts an error of the first step to one for the requester.
func asError(err error) error {
	var wrong *form.FieldError
	if errors.As(err, &wrong) {
		return failure(stanza.BadRequest(wrong.Error()), "bad-payload")
	}
	return err
}

// failure adds a condition of XEP-0050 §4.4 to an error.
func failure(e *stanza.Error, condition string) *stanza.Error {
	e.Type = "modify"
	if condition == "session-expired" {
		e.Type = "cancel"
	}
	e.App = stanza.NewElement(NS, condition)
	return e
}
