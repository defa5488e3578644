"""`{{ task.status|in_words }}`: what a state is called where people read it."""

from django import template

from apps.pages.words import in_words

register = template.Library()
register.filter("in_words", in_words)
