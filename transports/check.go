package transports

import (
	"errors"
	"fmt"
)

// CheckNetwork finds what is wrong with a network's description, all at once.
func CheckNetwork(n Network) error {
	info := n.Info()
	var errs []error
	if info.Kind == "" || info.Name == "" || info.Short == "" || info.Type == "" {
		errs = append(errs, fmt.Errorf("network %q: Kind, Name, Short and Type are required", info.Kind))
	}
	if len(n.LoginFlows()) == 0 {
		errs = append(errs, fmt.Errorf("network %q: no login flow", info.Kind))
	}
	seen := map[string]bool{}
	for _, f := range n.LoginFlows() {
		if f.ID == "" || f.Name == "" || seen[f.ID] {
			errs = append(errs, fmt.Errorf("network %q: login flow %q: id and name must be given and unique", info.Kind, f.ID))
		}
		seen[f.ID] = true
	}
	if typed, ok := n.(interface{ ClientType() Client }); ok {
		errs = append(errs, CheckClient(info, typed.ClientType()))
	}
	return errors.Join(errs...)
}

// capability pairs a field of Caps with the optional interface that it stands for.
type capability struct {
	name     string
	declared func(Caps) bool
	present  func(Client) bool
}

// capabilities are all of them, by the names of the fields of Caps.
var capabilities = []capability{
	{"Edit", func(c Caps) bool { return c.Edit }, is[Editor]},
	{"Delete", func(c Caps) bool { return c.Delete }, is[Deleter]},
	{"React", func(c Caps) bool { return c.React }, is[Reactor]},
	{"Typing", func(c Caps) bool { return c.Typing }, is[Typer]},
	{"Read", func(c Caps) bool { return c.Read }, is[Reader]},
	{"History", func(c Caps) bool { return c.History }, is[Historian]},
	{"Relay", func(c Caps) bool { return c.Relay }, is[Relayer]},
	{"Media", func(c Caps) bool { return c.Media }, is[MediaOpener]},
	{"Directory", func(c Caps) bool { return c.Directory }, is[Directory]},
	{"Direct", func(c Caps) bool { return c.Direct }, is[DirectOpener]},
	{"Members", func(c Caps) bool { return c.Members }, is[MemberLister]},
	{"Spaces", func(c Caps) bool { return c.Spaces }, is[SpaceLister]},
	{"Create", func(c Caps) bool { return c.Create }, is[GroupCreator]},
	{"Narrow", func(c Caps) bool { return c.Narrow }, is[Narrower]},
	{"Changes", func(c Caps) bool { return len(c.Changes) > 0 }, is[Changer]},
	{"Presence", func(c Caps) bool { return c.Presence }, is[Presencer]},
	{"Profiles", func(c Caps) bool { return c.Profiles }, is[Profiler]},
	{"Resolve", func(c Caps) bool { return c.Resolve }, is[Resolver]},
	{"Search", func(c Caps) bool { return c.Search }, is[Searcher]},
	{"Commands", func(c Caps) bool { return c.Commands }, is[Commander]},
}

// CheckClient compares what a network declares with what its client does: a declared
// interface that is absent and one that is present undeclared are both errors. A network that has a method
// ClientType() Client (a nil pointer will do) is checked when it is registered,
// others when their first client opens.
func CheckClient(info Info, client Client) error {
	var errs []error
	for _, c := range capabilities {
		switch declared, present := c.declared(info.Caps), c.present(client); {
		case declared && !present:
			errs = append(errs, fmt.Errorf("network %q declares %s but its client does not implement it", info.Kind, c.name))
		case !declared && present:
			errs = append(errs, fmt.Errorf("network %q implements %s but does not declare it", info.Kind, c.name))
		}
	}
	return errors.Join(errs...)
}

func is[T any](c Client) bool {
	_, ok := c.(T)
	return ok
}
