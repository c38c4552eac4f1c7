package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strconv"
	"time"
)

// item is one of a list, as it came and read.
type item[T any] struct {
	text  json.RawMessage
	value T
}

// listed asks for a view that is a list of that name.
func listed[T any](ctx context.Context, args []string, stderr io.Writer, name string) ([]item[T], *operated, error) {
	o := newOperated("rollout "+name, stderr)
	limit := o.flags.Int("limit", 20, "print the newest so `many` at most")
	if _, err := o.parse(args); err != nil {
		return nil, o, err
	}
	if *limit < 1 {
		return nil, o, o.wrong("-limit: %d is not above 0", *limit)
	}
	items, err := list[T](ctx, o, name, *limit)
	return items, o, err
}

// list asks for the newest of a list.
func list[T any](ctx context.Context, o *operated, name string, limit int) ([]item[T], error) {
	var page map[string]json.RawMessage
	if _, err := o.read(ctx, "/api/"+name, url.Values{"limit": {strconv.Itoa(limit)}}, &page); err != nil {
		return nil, err
	}
	var texts []json.RawMessage
	err := json.Unmarshal(page[name], &texts)
	items := make([]item[T], len(texts))
	for i, text := range texts {
		items[i].text = text
		err = errors.Join(err, json.Unmarshal(text, &items[i].value))
	}
	if err != nil {
		return nil, fmt.Errorf("the answer of %s: %w\n%s", o.operator, err, hintElsewhere)
	}
	return items, nil
}

// inOrder sorts by time, the newest last.
func inOrder[T any](items []item[T], at func(T) time.Time) []item[T] {
	slices.SortStableFunc(items, func(a, b item[T]) int { return at(a.value).Compare(at(b.value)) })
	return items
}
