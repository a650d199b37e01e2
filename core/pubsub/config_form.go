package pubsub

import (
	"cmp"
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/dragoman-im/dragoman/core/form"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// Limits of the texts in a configuration.
const (
	maxText   = 1024 // bytes
	maxGroups = 100
)

// setting is a field of the configuration form (XEP-0060 §16.4.4).
type setting struct {
	name, label string
	kind        form.FieldType
	options     []string
	get         func(c *Config) []string
	set         func(c *Config, values []string) bool // false: the value is not acceptable
	metadata    bool                                  // also shown in the node's disco#info
}

// settings are all fields, in the order of the form.
var settings = []setting{
	text("pubsub#title", "A friendly name for the node", func(c *Config) *string { return &c.Title }),
	text("pubsub#description", "A description of the node", func(c *Config) *string { return &c.Description }),
	text("pubsub#type", "The namespace of the payloads", func(c *Config) *string { return &c.Type }),
	{name: "pubsub#access_model", label: "Who may subscribe and retrieve items", kind: form.ListSingle,
		options: []string{string(Authorize), string(Open), string(Presence), string(Roster), string(Whitelist)}, metadata: true,
		get: func(c *Config) []string { return []string{string(c.Access)} },
		set: func(c *Config, v []string) bool { c.Access = AccessModel(one(v)); return true }},
	{name: "pubsub#roster_groups_allowed", label: "The roster groups that may subscribe and retrieve items", kind: form.ListMulti,
		get: func(c *Config) []string { return c.Groups },
		set: func(c *Config, v []string) bool {
			c.Groups = nil
			for _, g := range v {
				c.Groups = append(c.Groups, strings.Clone(g))
			}
			return len(v) <= maxGroups && !slices.ContainsFunc(v, func(g string) bool { return len(g) > maxText })
		}},
	choice("pubsub#publish_model", "Who may publish", func(c *Config) *string { return &c.Publish }, publishers, subscribers, "open"),
	flag("pubsub#persist_items", "Whether items are stored", func(c *Config) *bool { return &c.Persist }),
	number("pubsub#max_items", "How many items are stored, or 'max'", func(c *Config) *int { return &c.MaxItems }),
	number("pubsub#item_expire", "Seconds after which an item is deleted, or 'max'", func(c *Config) *int { return &c.Expire }),
	choice("pubsub#publish_node_full", "What happens when the node is full", func(c *Config) *string { return &c.Full }, retractOldest, discardOldest, rejectNew),
	flag("pubsub#deliver_payloads", "Whether notifications have the payload", func(c *Config) *bool { return &c.Payloads }),
	flag("pubsub#deliver_notifications", "Whether subscribers are notified", func(c *Config) *bool { return &c.Notifications }),
	flag("pubsub#notify_config", "Whether subscribers are notified about the configuration", func(c *Config) *bool { return &c.NotifyConfig }),
	flag("pubsub#notify_delete", "Whether subscribers are notified when the node is deleted", func(c *Config) *bool { return &c.NotifyDelete }),
	flag("pubsub#notify_retract", "Whether subscribers are notified when items are removed", func(c *Config) *bool { return &c.NotifyRetract }),
	flag("pubsub#notify_sub", "Whether owners are notified about new subscribers and those that have left", func(c *Config) *bool { return &c.NotifySub }),
	{name: "pubsub#itemreply", label: "Whether items name who published them", kind: form.ListSingle, options: []string{replyPublisher, replyNone}, // XEP-0060 §12.17
		get: func(c *Config) []string { return []string{cmp.Or(c.ItemReply, replyPublisher)} },
		set: func(c *Config, v []string) bool { c.ItemReply = one(v); return len(v) > 0 }},
	choice("pubsub#send_last_published_item", "When the last item is sent", func(c *Config) *string { return &c.SendLast }, never, onSub, onPresence),
	choice("pubsub#notification_type", "The type of notifications", func(c *Config) *string { return &c.MessageType }, "normal", "headline", "chat"),
	flag("pubsub#presence_based_delivery", "Whether only available subscribers are notified", func(c *Config) *bool { return &c.Available }),
	number("pubsub#max_payload_size", "Bytes of a payload, or 'max'", func(c *Config) *int { return &c.MaxPayload }),
	flag("pubsub#subscribe", "Whether subscriptions are allowed", func(c *Config) *bool { return &c.Subscribe }),
}

func one(values []string) string {
	if len(values) == 0 {
		return ""
	}
	return values[0]
}

func text(name, label string, of func(*Config) *string) setting {
	return setting{name: name, label: label, kind: form.TextSingle, metadata: true,
		get: func(c *Config) []string {
			if *of(c) == "" {
				return nil
			}
			return []string{*of(c)}
		},
		set: func(c *Config, v []string) bool { *of(c) = strings.Clone(one(v)); return len(one(v)) <= maxText }}
}

func flag(name, label string, of func(*Config) *bool) setting {
	return setting{name: name, label: label, kind: form.Boolean,
		get: func(c *Config) []string {
			if *of(c) {
				return []string{"1"}
			}
			return []string{"0"}
		},
		set: func(c *Config, v []string) bool { *of(c) = one(v) == "1"; return len(v) > 0 }}
}

func choice(name, label string, of func(*Config) *string, options ...string) setting {
	return setting{name: name, label: label, kind: form.ListSingle, options: options,
		get: func(c *Config) []string { return []string{*of(c)} },
		set: func(c *Config, v []string) bool { *of(c) = one(v); return len(v) > 0 }}
}

// number is a field of type integer-or-max (XEP-0060 §16.7). Larger numbers than the service allows are accepted,
// and mean the same as max.
func number(name, label string, of func(*Config) *int) setting {
	return setting{name: name, label: label, kind: form.TextSingle,
		get: func(c *Config) []string {
			if *of(c) == Max {
				return []string{"max"}
			}
			return []string{strconv.Itoa(*of(c))}
		},
		set: func(c *Config, v []string) bool {
			if one(v) == "max" {
				*of(c) = Max
				return true
			}
			n, err := strconv.ParseUint(one(v), 10, 31)
			*of(c) = int(n)
			return err == nil && n > 0
		}}
}

// field returns the field of a form; values are those that the configuration has.
func (s *setting) field(c *Config) form.Field {
	f := form.Field{Var: s.name, Type: s.kind, Label: s.label, Values: s.get(c)}
	if len(s.options) == 0 && s.kind == form.ListMulti {
		f.Check = &form.Check{Open: true}
	}
	for _, o := range s.options {
		f.Options = append(f.Options, form.Option{Value: o})
	}
	return f
}

// form returns the configuration as a form to fill in (XEP-0060 §8.2.2).
func (c *Config) form() *form.Form {
	f := form.New(form.Ask, nsConfig, "")
	for i := range settings {
		f.Add(settings[i].field(c))
	}
	return f
}

// acceptable checks a configuration: a domain has no contacts that it could share its presence with, and does not know theirs.
func (e *Engine) acceptable(c Config, err error) (Config, error) {
	if err == nil && !e.Accounts && (c.Access == Presence || c.Access == Roster) {
		err = &form.FieldError{Var: "pubsub#access_model", Problem: "is not supported here"}
	}
	if err == nil && !e.Accounts && c.Available {
		err = &form.FieldError{Var: "pubsub#presence_based_delivery", Problem: "is not supported here"}
	}
	if err == nil {
		err = c.checkSpace()
	}
	return c, err
}

// find returns the setting with that name, or nil.
func find(name string) *setting {
	for i := range settings {
		if settings[i].name == name {
			return &settings[i]
		}
	}
	return nil
}

// apply returns the configuration with the values of a submitted form. Fields that are not in the form stay, and
// unknown fields are ignored (XEP-0004 §3.2). The error is a *form.FieldError.
func (c Config) apply(submitted *form.Form) (Config, error) {
	for i := range submitted.Fields {
		name := submitted.Fields[i].Var
		if name == "pubsub#node_type" && one(submitted.Fields[i].Values) != "leaf" { // collections are those of XEP-0248, which is not offered
			return c, &form.FieldError{Var: name, Problem: "must be leaf"}
		}
		s := find(name)
		if s == nil {
			continue
		}
		values, err := s.values(&c, submitted.Fields[i].Values)
		if err != nil {
			return c, err
		}
		if !s.set(&c, values) {
			return c, &form.FieldError{Var: name, Label: s.label, Problem: "has an unknown value"}
		}
	}
	return c, nil
}

func (s *setting) values(c *Config, given []string) ([]string, error) {
	f := s.field(c)
	return f.Normalise(given)
}

// errPrecondition is returned by meets.
var errPrecondition = errors.New("a precondition is not met")

// meets checks publish-options against a node (XEP-0060 §7.1.5). Unknown fields are not met.
func (c Config) meets(options *form.Form) error {
	for i := range options.Fields {
		f := &options.Fields[i]
		if f.Var == form.TypeVar || f.Var == "pubsub#node_type" && one(f.Values) == "leaf" {
			continue
		}
		s := find(f.Var)
		if s == nil {
			return errPrecondition
		}
		values, err := s.values(&c, f.Values)
		if err != nil {
			return errPrecondition
		}
		want := c
		if !s.set(&want, values) || !slices.Equal(sorted(s.get(&want)), sorted(s.get(&c))) {
			return errPrecondition
		}
	}
	return nil
}

// sorted returns a sorted copy.
func sorted(list []string) []string { return slices.Sorted(slices.Values(list)) }

// submitted reads the form of an element, which must be of that FORM_TYPE or have none; nil if there is no form or it
// was cancelled (XEP-0060 §8.2.5).
func submitted(parent *stanza.Element, formType string) (f *form.Form, cancelled bool, err error) {
	x := parent.Child(form.NS, "x")
	if x == nil {
		return nil, false, nil
	}
	if f, err = form.Parse(x); err != nil {
		return nil, false, err
	}
	if f.Kind == form.Cancel {
		return nil, true, nil
	}
	if t := f.Get(form.TypeVar); f.Kind != form.Submit || t != "" && t != formType {
		return nil, false, stanza.BadRequest("This is not the form that was asked for.")
	}
	return f, false, nil
}
