package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"

	"go.uber.org/zap"

	"sluice/cmd/internal/logging"
	"sluice/cmd/internal/steering"
	"sluice/configs"
)

// settings collects -set key.path=value.
type settings []string

func (s *settings) String() string     { return strings.Join(*s, " ") }
func (s *settings) Set(v string) error { *s = append(*s, v); return nil }

// configured are the flags of every command that reads a configuration.
type configured struct {
	flags    *flag.FlagSet
	path     string
	settings settings
	check    bool
	console  bool
	// try finds what a start would refuse besides; nil if there is nothing.
	try func(configs.Config) error
}

func newConfigured(name string, stderr io.Writer) *configured {
	c := &configured{flags: flag.NewFlagSet("sluice "+name, flag.ContinueOnError)}
	c.flags.SetOutput(stderr)
	c.flags.StringVar(&c.path, "config", "configs/gateway.yaml", "configuration `file`")
	c.flags.Var(&c.settings, "set", "override one `key.path=value` of the configuration; may be repeated")
	c.flags.BoolVar(&c.check, "check", false, "find all that a start would refuse, print the effective configuration and exit")
	c.flags.BoolVar(&c.console, "console", false, "log for people instead of in JSON")
	return c
}

// load parses the arguments and reads the configuration. done means that the
// command has nothing more to do.
func (c *configured) load(args []string, stdout io.Writer) (config configs.Config, done bool, err error) {
	if err := parse(c.flags, args); err != nil {
		return config, true, err
	}
	config, err = configs.Load(c.path, c.settings...)
	if err == nil {
		err = steering.Check(&config)
	}
	if err != nil {
		return config, true, explained(err)
	}
	if !c.check {
		return config, false, nil
	}
	if c.try != nil {
		if err := c.try(config); err != nil {
			return config, true, c.explain(err)
		}
	}
	text, err := config.YAML()
	if err != nil {
		return config, true, err
	}
	_, err = io.WriteString(stdout, text)
	return config, true, err
}

// explain says of an error, if it is one of the configuration, where that is in the file.
func (c *configured) explain(err error) error {
	found := configs.Explain(c.path, err)
	var wrong *configs.Problems
	if errors.As(found, &wrong) {
		return explained(found)
	}
	return found
}

// explained adds where to look to an error of a configuration.
func explained(err error) error {
	return fmt.Errorf("%w\nhint: configs/gateway.yaml explains every key", err)
}

// parse reads flags where nothing else is expected.
func parse(flags *flag.FlagSet, args []string) error {
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return err
		}
		return errUsage // the flag set has said what is wrong
	}
	if flags.NArg() > 0 {
		fmt.Fprintf(flags.Output(), "unexpected argument %q\n", flags.Arg(0))
		return errUsage
	}
	return nil
}

// logger writes to stderr, in JSON or for people.
func (c *configured) logger(level string, stderr io.Writer) (*zap.Logger, error) {
	return logging.Logger(stderr, level, c.console)
}
