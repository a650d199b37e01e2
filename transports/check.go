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
		errs = append(errs, fmt.Errorf("network %q: no way to log in", info.Kind))
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

// CheckClient compares what a network declares with what its client does: a declared
// interface that is absent and one that is present undeclared are both errors. A network that has a method
// ClientType() Client (a nil pointer will do) is checked when it is registered,
// others when their first client opens.
func CheckClient(info Info, s Client) error {
	var errs []error
	for _, c := range []struct {
		name           string
		declared, have bool
	}{
		{"Edit", info.Caps.Edit, is[Editor](s)},
		{"Delete", info.Caps.Delete, is[Deleter](s)},
		{"React", info.Caps.React, is[Reactor](s)},
		{"Typing", info.Caps.Typing, is[Typer](s)},
		{"Read", info.Caps.Read, is[Reader](s)},
		{"History", info.Caps.History, is[Historian](s)},
		{"Directory", info.Caps.Directory, is[Directory](s)},
		{"Direct", info.Caps.Direct, is[DirectOpener](s)},
		{"Members", info.Caps.Members, is[MemberLister](s)},
		{"Spaces", info.Caps.Spaces, is[SpaceLister](s)},
		{"Admin", info.Caps.Admin, is[RoomAdmin](s)},
		{"Join", info.Caps.Join, is[Joiner](s)},
		{"Presence", info.Caps.Presence, is[Presencer](s)},
		{"Profiles", info.Caps.Profiles, is[Profiler](s)},
		{"Relay", info.Caps.Relay, is[Relayer](s)},
		{"Media", info.Caps.Media, is[MediaOpener](s)},
	} {
		switch {
		case c.declared && !c.have:
			errs = append(errs, fmt.Errorf("network %q declares %s but its client does not implement it", info.Kind, c.name))
		case !c.declared && c.have:
			errs = append(errs, fmt.Errorf("network %q implements %s but does not declare it", info.Kind, c.name))
		}
	}
	return errors.Join(errs...)
}

func is[T any](s Client) bool {
	_, ok := s.(T)
	return ok
}
