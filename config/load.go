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

// maxSecret is the largest file that a secret is read from, in bytes.
const maxSecret = 64 << 10

// Problems is everything that is wrong with a configuration.
type Problems []string

func (p Problems) Error() string { return strings.Join(p, "\n") }

func (p *Problems) add(path, format string, args ...any) {
	*p = append(*p, path+": "+fmt.Sprintf(format, args...))
}

// Load reads a file ("" for none), the environment and the files of secrets, and checks the whole.
// Relative paths in the file are relative to the file. The error is a Problems.
func Load(file string, environ []string) (Config, error) {
	text, dir := []byte(nil), ""
	if file != "" {
		var err error
		if text, err = os.ReadFile(file); err != nil {
			return Config{}, Problems{fmt.Sprintf("%v", err)}
		}
		dir = filepath.Dir(file)
	}
	return Parse(text, dir, environ)
}

// Parse is Load for a text; dir is what relative paths are relative to.
func Parse(text []byte, dir string, environ []string) (Config, error) {
	c := Default()
	var problems Problems
	meta, err := toml.Decode(string(text), &c)
	if err != nil {
		return Config{}, Problems{tomlError(err)}
	}
	for _, key := range meta.Undecoded() {
		problems.add(key.String(), "there is no such setting%s", suggestion(key))
	}
	environment(&c, environ, &problems)
	for _, f := range c.paths() {
		if *f != "" && !filepath.IsAbs(*f) && dir != "" {
			*f = filepath.Join(dir, *f)
		}
	}
	secrets(reflect.ValueOf(&c).Elem(), &problems)
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

// paths are the settings that name files of this machine.
func (c *Config) paths() []*string {
	all := []*string{
		&c.Server.Data, &c.TLS.Certificate, &c.TLS.Key, &c.Gateway.KeyFile,
		&c.Slack.SecretFile, &c.Discord.SecretFile, &c.Echo.SecretFile,
	}
	for i := range c.Components {
		all = append(all, &c.Components[i].SecretFile)
	}
	return all
}

// complete fills what follows from other settings.
func (c *Config) complete() {
	if len(c.Server.Hosts) == 0 {
		return
	}
	for short, domain := range map[string]*string{"slack": &c.Slack.Domain, "discord": &c.Discord.Domain, "echo": &c.Echo.Domain} {
		if *domain == "" {
			*domain = short + "." + c.Server.Hosts[0]
		}
	}
}

// ofTests are variables of the tests, which start this program with their own environment.
var ofTests = []string{"DRAGOMAN_REQUIRE_PEERS", "DRAGOMAN_KILL_ROUNDS", "DRAGOMAN_KILL_SEED", "DRAGOMAN_LOAD"}

// environment applies DRAGOMAN_SECTION_KEY. Lists are separated by commas.
func environment(c *Config, environ []string, problems *Problems) {
	known := map[string]reflect.Value{}
	each(reflect.ValueOf(c).Elem(), "", func(path string, _ reflect.StructField, v reflect.Value) {
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

// secrets reads the files that stand in for secrets: "secret_file" for "secret".
func secrets(v reflect.Value, problems *Problems) {
	read := func(section reflect.Value, path string) {
		t := section.Type()
		for i := range t.NumField() {
			f := t.Field(i)
			if f.Tag.Get("secret") == "" {
				continue
			}
			file := section.FieldByName(f.Name + "File").String()
			if file == "" {
				continue
			}
			key := path + "." + f.Tag.Get("toml")
			if section.Field(i).String() != "" {
				problems.add(key+"_file", "give the secret or its file, not both")
				continue
			}
			secret, err := readSecret(file)
			if err != nil {
				problems.add(key+"_file", "%v", err)
			}
			section.Field(i).SetString(secret)
		}
	}
	t := v.Type()
	for i := range t.NumField() {
		name := t.Field(i).Tag.Get("toml")
		switch f := v.Field(i); f.Kind() {
		case reflect.Struct:
			read(f, name)
		case reflect.Slice:
			for k := range f.Len() {
				read(f.Index(k), fmt.Sprintf("%s[%d]", name, k))
			}
		}
	}
}

func readSecret(file string) (string, error) {
	info, err := os.Stat(file)
	if err != nil {
		return "", err
	}
	if info.Size() > maxSecret {
		return "", fmt.Errorf("%s: %d bytes is too much for a secret", file, info.Size())
	}
	text, err := os.ReadFile(file)
	return strings.TrimSpace(string(text)), err
}

// each visits every setting that is no list of tables, with its path.
func each(v reflect.Value, path string, visit func(path string, f reflect.StructField, v reflect.Value)) {
	t := v.Type()
	for i := range t.NumField() {
		f := t.Field(i)
		p := strings.TrimPrefix(path+"."+f.Tag.Get("toml"), ".")
		switch {
		case f.Type.Kind() == reflect.Struct:
			each(v.Field(i), p, visit)
		case f.Type.Kind() == reflect.Slice && f.Type.Elem().Kind() == reflect.Struct:
		default:
			visit(p, f, v.Field(i))
		}
	}
}

// suggestion names the setting of the same section that key is nearest to.
func suggestion(key toml.Key) string {
	best, least := "", 4
	c := Default()
	each(reflect.ValueOf(&c).Elem(), "", func(path string, _ reflect.StructField, _ reflect.Value) {
		if d := distance(path, key.String()); d < least {
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
