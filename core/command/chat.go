package command

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/dragoman-im/dragoman/core/form"
)

// Line is one message of a Chat: a text, and optionally a picture.
type Line struct {
	Text  string
	Media *form.Media
}

// Chat runs one command as a text dialogue that asks for one form field after another. "cancel" ends the
// command, "back" returns to the previous question, and "-" skips an optional question or keeps its
// default.
type Chat struct {
	mu      sync.Mutex
	step    Step
	answers *form.Form
	asked   []int // indexes of the fields asked so far; the last one is the current question
	used    time.Time
	done    bool
}

// Commands that a Chat accepts instead of an answer.
const (
	wordCancel = "cancel"
	wordBack   = "back"
	wordSkip   = "-"
)

// StartChat runs a command as a chat and returns the first lines. done means that it has ended already.
// The caller checks Command.Allowed first.
func StartChat(ctx context.Context, c Command, who Caller) (chat *Chat, lines []Line, done bool, err error) {
	step, err := c.Run(ctx, who)
	if err != nil {
		return nil, nil, true, err
	}
	chat = &Chat{used: time.Now()}
	lines = chat.startStep(step)
	return chat, lines, chat.done, nil
}

// IdleTime returns the time since the last answer.
func (c *Chat) IdleTime() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Since(c.used)
}

// Cancel cancels the command, for example after a timeout.
func (c *Chat) Cancel() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cancel()
}

func (c *Chat) cancel() {
	if !c.done && c.step.Cancel != nil {
		c.step.Cancel()
	}
	c.done = true
}

// Answer processes a message of the user and returns the next lines. done means that the command has
// ended. An error is a failure of the command, which has ended it.
func (c *Chat) Answer(ctx context.Context, text string) (lines []Line, done bool, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.done {
		return nil, true, nil
	}
	c.used = time.Now()
	text = strings.TrimSpace(text)
	switch strings.ToLower(text) {
	case wordCancel:
		c.cancel()
		return []Line{{Text: "Cancelled."}}, true, nil
	case wordBack:
		if len(c.asked) > 1 {
			c.asked = c.asked[:len(c.asked)-1]
			return c.question(), false, nil
		}
		return append([]Line{{Text: "This is the first question."}}, c.question()...), false, nil
	}
	if problem := c.setAnswer(text); problem != "" {
		return append([]Line{{Text: problem}}, c.question()...), false, nil
	}
	if problem := c.verify(ctx); problem != "" {
		return append([]Line{{Text: problem}}, c.question()...), false, nil
	}
	if c.advance() {
		return c.question(), false, nil
	}
	return c.submit(ctx)
}

// verify has the command check the answer to the current question. It returns what is wrong with it, or "".
func (c *Chat) verify(ctx context.Context) string {
	fd := c.current()
	if fd == nil || c.step.Verify == nil || c.answers.Get(fd.Var) == "" {
		return ""
	}
	if err := c.step.Verify(ctx, fd.Var, c.answers.Get(fd.Var)); err != nil {
		return err.Error()
	}
	return ""
}

// submit submits the answers of a complete step.
func (c *Chat) submit(ctx context.Context) ([]Line, bool, error) {
	next, err := c.step.submit(ctx, c.answers)
	var wrong *form.FieldError
	switch {
	case errors.As(err, &wrong):
		lines := []Line{{Text: wrong.Error()}}
		return append(lines, c.goBackTo(wrong.Var)...), false, nil
	case err != nil:
		c.done = true
		return nil, true, err
	}
	lines := c.startStep(next)
	return lines, c.done, nil
}

// startStep returns the text of a step and its first question.
func (c *Chat) startStep(step Step) []Line {
	c.step, c.asked, c.answers = step, nil, &form.Form{Kind: form.Submit}
	c.done = step.Then == nil
	var lines []Line
	for _, n := range step.Notes {
		lines = append(lines, Line{Text: n.Text})
	}
	if step.Form != nil {
		lines = append(lines, formText(step.Form)...)
	}
	if c.done {
		lines = joined(lines)
	}
	for _, p := range step.Payload {
		if u := p.ChildText("jabber:x:oob", "url"); u != "" { // XEP-0066
			lines = append(lines, Line{Text: u})
		}
	}
	if c.done {
		return lines
	}
	c.advance()
	return append(lines, c.question()...)
}

// joined returns lines as one, as far as they have no pictures: a long list is one message.
func joined(lines []Line) []Line {
	var list []Line
	for _, l := range lines {
		if n := len(list); n > 0 && l.Media == nil && list[n-1].Media == nil {
			list[n-1].Text += "\n" + l.Text
		} else {
			list = append(list, l)
		}
	}
	return list
}

// isQuestion reports whether a field needs an answer.
func isQuestion(fd *form.Field) bool {
	return fd.Var != "" && fd.Type != form.Fixed && fd.Type != form.Hidden
}

// advance goes to the next question; false means that there is none.
func (c *Chat) advance() bool {
	next := 0
	if len(c.asked) > 0 {
		next = c.asked[len(c.asked)-1] + 1
	}
	if c.step.Form == nil {
		return false
	}
	for ; next < len(c.step.Form.Fields); next++ {
		if isQuestion(&c.step.Form.Fields[next]) {
			c.asked = append(c.asked, next)
			return true
		}
	}
	return false
}

// goBackTo returns to the question about a field, or to the first one.
func (c *Chat) goBackTo(name string) []Line {
	for k, i := range c.asked {
		if c.step.Form.Fields[i].Var == name {
			c.asked = c.asked[:k+1]
			return c.question()
		}
	}
	c.asked = nil
	c.advance()
	return c.question()
}

func (c *Chat) current() *form.Field {
	if len(c.asked) == 0 {
		return nil
	}
	return &c.step.Form.Fields[c.asked[len(c.asked)-1]]
}

// setAnswer checks and stores an answer. It returns what is wrong with it, or "".
func (c *Chat) setAnswer(text string) (problem string) {
	fd := c.current()
	if fd == nil {
		return "" // the step has no question: any text continues
	}
	if text == wordSkip {
		if len(fd.Values) > 0 {
			c.answers.Set(fd.Var, fd.Values...)
			return ""
		}
		if fd.Required {
			return "This is needed."
		}
		if fd.Type == form.Boolean {
			c.answers.Set(fd.Var, "0")
		} else {
			c.answers.Set(fd.Var)
		}
		return ""
	}
	values, err := fd.Normalise(parseAnswer(fd, text))
	if err != nil {
		return err.Error()
	}
	c.answers.Set(fd.Var, values...)
	return ""
}
