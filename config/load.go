package config

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/BurntSushi/toml"
)

// maxSecret is the maximum size of a file with a secret, in bytes.
const maxSecret = 64 << 10

// Problems are all errors of a configuration, one line each.
type Problems []string

func (p Problems) Error() string { return strings.Join(p, "\n") }

func (p *Problems) add(path, format string, args ...any) {
	*p = append(*p, path+": "+fmt.Sprintf(format, args...))
}

// Load reads a file ("" for none), the environment and the files with secrets, and validates the result. sections
// are the sections of the networks; Load fills in their settings. Relative paths in the file are relative to its
// directory. The error is a Problems.
func Load(file string, environ []string, sections ...Section) (Config, error) {
	text, dir := []byte(nil), ""
	if file != "" {
		var err error
		if text, err = os.ReadFile(file); err != nil {
			return Config{}, Problems{fmt.Sprintf("%v", err)}
		}
		dir = filepath.Dir(file)
	}
	return Parse(text, dir, environ, sections...)
}

// Parse is Load for a text; relative paths are relative to dir.
func Parse(text []byte, dir string, environ []string, sections ...Section) (Config, error) {
	checkSections(sections)
	c := Default()
	c.Sections = sections
	var problems Problems
	if err := c.decode(string(text), &problems); err != nil {
		return Config{}, Problems{tomlError(err)}
	}
	environment(&c, environ, &problems)
	eachFile(&c, func(path *string, _ string) {
		if *path != "" && !filepath.IsAbs(*path) && dir != "" {
			*path = filepath.Join(dir, *path)
		}
	})
	secrets(&c, &problems)
	c.complete()
	c.validate(&problems)
	if len(problems) > 0 {
		return Config{}, problems
	}
	return c, nil
}

func tomlError(err error) string {
	var parse toml.ParseError
	if errors.As(err, &parse) {
		return fmt.Sprintf("line %d: %s", parse.Position.Line, parse.Message)
	}
	return strings.TrimPrefix(err.Error(), "toml: ")
}

// eachFile calls visit for the settings that are paths of files; kind is "secret" if the file contains a secret.
func eachFile(c *Config, visit func(path *string, kind string)) {
	file := func(_ string, f reflect.StructField, v reflect.Value) {
		if kind := f.Tag.Get("file"); kind != "" {
			switch of := v.Addr().Interface().(type) {
			case *string:
				visit(of, kind)
			case *[]string:
				for i := range *of {
					visit(&(*of)[i], kind)
				}
			}
		}
	}
	c.each(file)
	c.eachRow(func(_ string, _ int, row reflect.Value) { each(row, "", file) })
}

// complete sets the settings whose defaults depend on other settings.
func (c *Config) complete() {
	if len(c.Server.Hosts) == 0 {
		return
	}
	for i := range c.Services {
		if s := &c.Services[i]; s.Expires == 0 {
			s.Expires = defaultExpires
		}
	}
	for i := range c.Groups {
		if g := &c.Groups[i]; g.Host == "" {
			g.Host = c.Server.Hosts[0]
		}
	}
	c.completeBackends()
	for _, s := range c.Sections {
		if n := s.Network(); n.Domain == "" {
			n.Domain = s.Name + "." + c.Server.Hosts[0]
		}
	}
}

// ofTests are environment variables of the tests, which run this program with their environment.
var ofTests = []string{"DRAGOMAN_REQUIRE_PEERS", "DRAGOMAN_KILL_ROUNDS", "DRAGOMAN_KILL_SEED", "DRAGOMAN_LOAD"}

// environment applies DRAGOMAN_SECTION_KEY. Lists are separated by commas.
func environment(c *Config, environ []string, problems *Problems) {
	known := map[string]reflect.Value{}
	c.each(func(path string, _ reflect.StructField, v reflect.Value) {
		known["DRAGOMAN_"+strings.ToUpper(strings.ReplaceAll(path, ".", "_"))] = v
	})
	for _, entry := range environ {
		name, value, _ := strings.Cut(entry, "=")
		if !strings.HasPrefix(name, "DRAGOMAN_") || slices.Contains(ofTests, name) || strings.HasPrefix(name, "DRAGOMAN_TEST_") {
			continue
		}
		v, ok := known[name]
		if !ok {
			problems.add(name, "there is no such setting (in the environment)")
			continue
		}
		if err := set(v, value); err != nil {
			problems.add(name, "%v (in the environment)", err)
		}
	}
}

// Set changes one setting by its path ("slack.enabled"). text has the form of an environment variable. Set
// does not validate the value beyond its form.
func (c *Config) Set(path, text string) error {
	err := fmt.Errorf("%s: there is no such setting", path)
	c.each(func(p string, _ reflect.StructField, v reflect.Value) {
		if p == path {
			err = set(v, text)
		}
	})
	return err
}

func set(v reflect.Value, text string) error {
	if u, ok := v.Addr().Interface().(interface{ UnmarshalText([]byte) error }); ok {
		return u.UnmarshalText([]byte(text))
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(text)
	case reflect.Bool:
		b, err := strconv.ParseBool(text)
		if err != nil {
			return fmt.Errorf("%q is not true or false", text)
		}
		v.SetBool(b)
	case reflect.Int:
		n, err := strconv.Atoi(text)
		if err != nil {
			return fmt.Errorf("%q is not a number", text)
		}
		v.SetInt(int64(n))
	case reflect.Slice:
		var list []string
		for item := range strings.SplitSeq(text, ",") {
			if item = strings.TrimSpace(item); item != "" {
				list = append(list, item)
			}
		}
		v.Set(reflect.ValueOf(list))
	}
	return nil
}

// secrets reads the files that hold secrets: "secret_file" for "secret".
func secrets(c *Config, problems *Problems) {
	read := func(section reflect.Value, path string) {
		for f, value := range flat(section) {
			if f.Tag.Get("secret") == "" {
				continue
			}
			file := section.FieldByName(f.Name + "File").String()
			if file == "" {
				continue
			}
			key := path + "." + f.Tag.Get("toml")
			if value.String() != "" {
				problems.add(key+"_file", "give the secret or its file, not both")
				continue
			}
			secret, err := readSecret(file)
			if err != nil {
				problems.add(key+"_file", "%v", err)
			}
			value.SetString(secret)
		}
	}
	c.eachRow(func(list string, i int, row reflect.Value) { read(row, fmt.Sprintf("%s[%d]", list, i)) })
	for f, v := range reflect.ValueOf(c).Elem().Fields() {
		if f.Type.Kind() == reflect.Struct {
			read(v, f.Tag.Get("toml"))
		}
	}
	for _, s := range c.Sections {
		read(reflect.ValueOf(s.Settings).Elem(), s.Name)
	}
}

func readSecret(file string) (string, error) {
	info, err := os.Stat(file)
	if err != nil {
		return "", err
	}
	if info.Size() > maxSecret {
		return "", fmt.Errorf("%s: %d bytes are too many for a secret", file, info.Size())
	}
	text, err := os.ReadFile(file)
	return strings.TrimSpace(string(text)), err
}

// eachRow calls visit for each table of the lists of tables, such as [[component]].
func (c *Config) eachRow(visit func(list string, i int, row reflect.Value)) {
	for f, v := range reflect.ValueOf(c).Elem().Fields() {
		if name := f.Tag.Get("toml"); name != "-" && f.Type.Kind() == reflect.Slice {
			for i := range v.Len() {
				visit(name, i, v.Index(i))
			}
		}
	}
}

// each calls visit for every setting that is not in a list of tables, with its path.
func (c *Config) each(visit func(path string, f reflect.StructField, v reflect.Value)) {
	for f, v := range reflect.ValueOf(c).Elem().Fields() {
		if f.Type.Kind() == reflect.Struct {
			each(v, f.Tag.Get("toml")+".", visit)
		}
	}
	for _, s := range c.Sections {
		each(reflect.ValueOf(s.Settings).Elem(), s.Name+".", visit)
	}
}

func each(v reflect.Value, prefix string, visit func(path string, f reflect.StructField, v reflect.Value)) {
	for f, value := range flat(v) {
		visit(prefix+f.Tag.Get("toml"), f, value)
	}
}

// maxDistance is how many letters a name may be away from one that is suggested, and one more.
const maxDistance = 4

// suggestion returns the setting whose path is most similar to key.
func (c *Config) suggestion(key string) string {
	best, least := "", maxDistance
	c.each(func(path string, _ reflect.StructField, _ reflect.Value) {
		if d := distance(path, key); d < least {
			best, least = path, d
		}
	})
	if best == "" {
		return ""
	}
	return "; did you mean " + best + "?"
}

func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		last := row[0]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := last
			if a[i-1] != b[j-1] {
				cost++
			}
			last = row[j]
			row[j] = min(cost, row[j]+1, row[j-1]+1)
		}
	}
	return row[len(b)]
}
