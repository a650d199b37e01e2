package config

import (
	"iter"
	"reflect"
	"slices"
)

// Changes are the settings in which two configurations differ, by their paths.
type Changes struct {
	Reloaded []string // a running program can apply them
	Restart  []string // they need a restart
}

// Reload returns the configuration of a running program after next was read: those settings of next that can be
// applied, the others as in c. Both were loaded with sections of the same networks.
func (c Config) Reload(next Config) (Config, Changes) {
	merged := c
	merged.Sections = slices.Clone(c.Sections)
	var changes Changes
	for f, section := range reflect.ValueOf(&merged).Elem().Fields() {
		name, wanted := f.Tag.Get("toml"), reflect.ValueOf(next).FieldByIndex(f.Index)
		switch {
		case name == "-":
		case f.Type.Kind() == reflect.Slice: // a list of tables
			switch {
			case equal(section, wanted):
			case f.Tag.Get("reload") == "":
				changes.Restart = append(changes.Restart, name)
			default:
				section.Set(wanted)
				changes.Reloaded = append(changes.Reloaded, name)
			}
		default:
			for path, s := range differences(name, section, wanted) {
				if s.field.Tag.Get("reload") == "" {
					changes.Restart = append(changes.Restart, path)
					continue
				}
				section.FieldByIndex(s.field.Index).Set(s.wanted)
				changes.Reloaded = append(changes.Reloaded, path)
			}
		}
	}
	moved := slices.Contains(changes.Restart, "server.hosts") // networks have domains below the first one
	for i, s := range next.Sections {
		have, wanted := reflect.ValueOf(c.Sections[i].Settings).Elem(), reflect.ValueOf(s.Settings).Elem()
		for path := range differences(s.Name, have, wanted) {
			if moved {
				changes.Restart = append(changes.Restart, path)
				continue
			}
			merged.Sections[i] = s
			changes.Reloaded = append(changes.Reloaded, path)
		}
	}
	return merged, changes
}

// difference is a setting with a new value.
type difference struct {
	field  reflect.StructField
	wanted reflect.Value
}

// differences iterates over the settings of a section that differ, by their paths.
func differences(section string, have, wanted reflect.Value) iter.Seq2[string, difference] {
	return func(yield func(string, difference) bool) {
		for f, v := range flat(have) {
			w := wanted.FieldByIndex(f.Index)
			if !equal(v, w) && !yield(section+"."+f.Tag.Get("toml"), difference{f, w}) {
				return
			}
		}
	}
}

func equal(a, b reflect.Value) bool {
	if a.Kind() == reflect.Slice && a.Len() == 0 && b.Len() == 0 {
		return true
	}
	return reflect.DeepEqual(a.Interface(), b.Interface())
}
