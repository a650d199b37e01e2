package xmltree

import (
	"encoding/xml"
	"errors"
	"fmt"
)

// Match compares what came with what is wanted. On success the names that the expectation
// captures are added to b; on a difference b is left alone and the error says where.
func Match(want, got *Element, b Bindings) error {
	trial := b.clone()
	if trial == nil {
		trial = Bindings{}
	}
	if err := match(want, got, trial); err != nil {
		return err
	}
	if b != nil {
		b.take(trial)
	}
	return nil
}

// MatchUnordered finds for each wanted element one that came, each used once.
func MatchUnordered(want, got []*Element, b Bindings) error {
	trial := b.clone()
	if trial == nil {
		trial = Bindings{}
	}
	if err := matchAny(want, got, trial); err != nil {
		return err
	}
	if b != nil {
		b.take(trial)
	}
	return nil
}

func match(want, got *Element, b Bindings) error {
	where := want.Name.Local
	if want.Name != got.Name {
		return fmt.Errorf("element is <%s xmlns=%q>, want <%s xmlns=%q>", got.Name.Local, got.Name.Space, want.Name.Local, want.Name.Space)
	}
	if err := matchAttrs(want, got, b); err != nil {
		return fmt.Errorf("<%s>: %w", where, err)
	}
	if len(want.Children) == 0 || want.Text != "" || got.Text != "" {
		if want.mark("more") != "yes" || want.Text != "" {
			if err := b.matchValue(want.Text, got.Text); err != nil {
				return fmt.Errorf("<%s>: text %w", where, err)
			}
		}
	}
	compare := matchOrdered
	if want.mark("order") == "any" {
		compare = matchAny
	}
	if want.mark("more") == "yes" {
		compare = matchSome
	}
	if err := compare(want.Children, got.Children, b); err != nil {
		return fmt.Errorf("<%s>: %w", where, err)
	}
	return nil
}

func matchAttrs(want, got *Element, b Bindings) error {
	for _, name := range want.attrNames() {
		if name.Space == MatchSpace {
			continue
		}
		pattern := want.Attrs[name]
		value, there := got.Attrs[name]
		switch {
		case pattern == maybe:
		case !there:
			return fmt.Errorf("attribute %s is missing, want %q", shortName(name), pattern)
		default:
			if err := b.matchValue(pattern, value); err != nil {
				return fmt.Errorf("attribute %s %w", shortName(name), err)
			}
		}
	}
	if want.mark("more") == "yes" {
		return nil
	}
	for _, name := range got.attrNames() {
		if _, ok := want.Attrs[name]; !ok {
			return fmt.Errorf("attribute %s=%q is not expected", shortName(name), got.Attrs[name])
		}
	}
	return nil
}

// matchOrdered wants the same children in the same order; optional ones may be missing.
func matchOrdered(want, got []*Element, b Bindings) error {
	if len(want) == 0 {
		if len(got) > 0 {
			return fmt.Errorf("child not expected:\n%s", got[0])
		}
		return nil
	}
	optional := want[0].mark("optional") == "yes"
	if len(got) == 0 {
		if optional {
			return matchOrdered(want[1:], got, b)
		}
		return fmt.Errorf("child <%s xmlns=%q> is missing", want[0].Name.Local, want[0].Name.Space)
	}
	trial := b.clone()
	err := match(want[0], got[0], trial)
	if err == nil {
		if err = matchOrdered(want[1:], got[1:], trial); err == nil {
			b.take(trial)
			return nil
		}
	}
	if optional && matchOrdered(want[1:], got, b) == nil {
		return nil
	}
	return err
}

// matchAny wants the same children, each used once, in whatever order.
func matchAny(want, got []*Element, b Bindings) error {
	return assign(want, got, b, false)
}

// matchSome wants its children to be there; others may be there too.
func matchSome(want, got []*Element, b Bindings) error {
	return assign(want, got, b, true)
}

// assign gives each wanted element one of those that came, going back where a choice
// made earlier (and what it captured) stands in the way.
func assign(want, got []*Element, b Bindings, more bool) error {
	if len(want) == 0 {
		if !more && len(got) > 0 {
			return fmt.Errorf("not expected:\n%s", got[0])
		}
		return nil
	}
	var nearest error // what stands in the way of the best candidate
	found := false
	for i, g := range got {
		trial := b.clone()
		if err := match(want[0], g, trial); err != nil {
			if nearest == nil || !found && g.Name == want[0].Name {
				nearest = err
			}
			continue
		}
		rest := append(append([]*Element{}, got[:i]...), got[i+1:]...)
		err := assign(want[1:], rest, trial, more)
		if err == nil {
			b.take(trial)
			return nil
		}
		nearest, found = err, true
	}
	if want[0].mark("optional") == "yes" {
		if err := assign(want[1:], got, b, more); err == nil {
			return nil
		}
	}
	if found {
		return nearest
	}
	if nearest == nil {
		nearest = errors.New("nothing left to compare with")
	}
	return fmt.Errorf("no match for <%s xmlns=%q>: %w", want[0].Name.Local, want[0].Name.Space, nearest)
}

// Optional reports whether an expected element may be missing.
func Optional(want *Element) bool { return want.mark("optional") == "yes" }

func (e *Element) mark(name string) string {
	return e.Attrs[xml.Name{Space: MatchSpace, Local: name}]
}
