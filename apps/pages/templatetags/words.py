"""`{{ task.status|in_words }}`: what a state is called where people read it; `{{ size|in_megabytes }}`: `28 MB`."""

from django import template

from apps.pages.words import in_megabytes, in_words

register = template.Library()
register.filter("in_words", in_words)
register.filter("in_megabytes", in_megabytes)
